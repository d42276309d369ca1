/** What a machine must have before an install. */
import type { MachineProbes } from '../probes.ts';
import type { Check } from '../types.ts';

/** Istio's, which Fairlead takes unless it is told otherwise. */
const PORTS: readonly (readonly [port: number, purpose: string])[] = [
  [15_000, 'the agent’s API (--api-port)'],
  [15_001, 'the first HTTP proxy'],
  [15_006, 'captured connections to workloads'],
  [15_020, 'metrics (--metrics-port)'],
];
const FEW_FILES = 4096;
const TOO_FEW_FILES = 1024;

export const installChecks: readonly Check<MachineProbes>[] = [
  {
    id: 'node/version',
    what: 'Node is new enough',
    why: 'Fairlead runs on it.',
    severity: 'error',
    next: 'Install a newer Node.',
    async run({ node }) {
      const { version, wanted } = await node();
      if (Number(version.split('.')[0]) >= wanted) return { state: 'ok', message: version };
      return { state: 'failed', message: `this is Node ${version}; ${wanted} or newer is needed` };
    },
  },
  {
    id: 'ports/free',
    what: 'the usual ports are free',
    why: 'The agent and its proxies listen there, unless they are told otherwise.',
    severity: 'warning',
    next: 'See who has them (`ss -ltnp`). An agent that runs already has its own; other ports can be named.',
    async run({ port }) {
      const tried = await Promise.all(PORTS.map(async ([number, purpose]) => ({ number, purpose, why: await port(number) })));
      const taken = tried.filter((t) => t.why !== undefined);
      if (taken.length === 0) return { state: 'ok', message: PORTS.map(([number]) => number).join(', ') };
      return {
        state: 'failed',
        message: `${taken.length} of ${PORTS.length} cannot be had`,
        details: taken.map((t) => `${t.number}, for ${t.purpose}: ${t.why}`),
      };
    },
  },
  {
    id: 'envoy/present',
    what: 'there is an Envoy, or none is needed',
    why: 'With it the real Envoy carries the traffic; without it the embedded proxy does, which needs nothing installed.',
    severity: 'error',
    next: 'Get one with `fairlead envoy install`, or take the embedded proxy with --engine embedded.',
    async run({ envoy }) {
      const found = await envoy();
      return found === undefined
        ? { state: 'nothing', message: 'none: the embedded proxy will run (`fairlead envoy install` gets one)' }
        : { state: 'ok', message: `${found.version}, ${found.path}: ${found.why}` };
    },
  },
  {
    id: 'limits/open-files',
    what: 'a process may have enough files open',
    why: 'Each connection is one; beyond the limit new connections are lost.',
    severity: 'warning',
    next: 'Raise it: `ulimit -n 65536`, LimitNOFILE= of a systemd unit.',
    async run({ openFiles }) {
      const limit = await openFiles();
      if (limit === undefined) return { state: 'ok', message: 'no limit is known' };
      if (limit >= FEW_FILES) return { state: 'ok', message: String(limit) };
      return {
        state: 'failed',
        severity: limit < TOO_FEW_FILES ? 'error' : 'warning',
        message: `${limit}, which is some ${Math.floor(limit / 2)} requests at a time`,
      };
    },
  },
];
