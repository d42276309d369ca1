/** The agent, its certificates, its data plane and its configuration. */
import { formatPosition } from '../../config/resource.ts';
import type { CertificateFacts, MeshProbes, ProblemFacts } from '../probes.ts';
import type { Check } from '../types.ts';

const WEEK = 7 * 86_400_000;

const place = ({ message, position }: ProblemFacts): string =>
  position === undefined ? message : `${formatPosition(position)}: ${message}`;

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** What is renewed at half of its life is short of time when that does not happen, however long or short it lives. */
function isSoon({ notAfter, renewal }: CertificateFacts, now: number): boolean {
  if (renewal) return renewal.state !== 'valid' && renewal.state !== 'renewing';
  return notAfter === undefined || notAfter - now < WEEK;
}

function certificateText({ proxy, name, notAfter, renewal }: CertificateFacts, now: number): string {
  const when =
    notAfter === undefined ? 'was never issued' : `${notAfter < now ? 'expired' : 'expires'} ${new Date(notAfter).toISOString()}`;
  return `${proxy}: ${name} ${when}${renewal?.why === undefined ? '' : `: ${renewal.why}`}`;
}

export const agentChecks: readonly Check<MeshProbes>[] = [
  {
    id: 'agent/reachable',
    what: 'an agent answers',
    why: 'The agent computes the node’s configuration and keeps the data plane running.',
    severity: 'error',
    next: 'Start one with `fairlead up DIR` or `fairlead agent run`, or name it with --agent.',
    async run({ status, agent }) {
      const { version, pid } = await status();
      return { state: 'ok', message: `${version}, process ${pid}, at ${agent}` };
    },
  },
  {
    id: 'agent/version',
    what: 'the agent is of the version of this command line',
    why: 'After an update an agent that was not restarted still runs the old code.',
    severity: 'warning',
    next: 'Restart it: `fairlead agent stop`, then start it again. The data plane goes on meanwhile under `agent run`.',
    after: ['agent/reachable'],
    async run({ status, version }) {
      const { version: its } = await status();
      if (its === version) return { state: 'ok', message: its };
      return { state: 'failed', message: `the agent is ${its}, this command line ${version}` };
    },
  },
  {
    id: 'certificates/expiry',
    what: 'certificates that the agent renews are renewed, and no other one of the data plane has expired or will within a week',
    why: 'An expired certificate breaks every connection that needs it, all at once.',
    severity: 'error',
    next: 'See to its CA (`fairlead ca status`) or its source; `fairlead cert check` and `fairlead proxy-config secret` show certificates.',
    after: ['agent/reachable', 'clock/sane'],
    async run(probes) {
      const found = await probes.certificates();
      if (found.length === 0) return { state: 'nothing', message: 'the proxies hold no certificates' };
      const { now } = await probes.clock();
      const soon = found.filter((c) => isSoon(c, now)).sort((a, b) => (a.notAfter ?? 0) - (b.notAfter ?? 0));
      const details = soon.map((c) => certificateText(c, now));
      if (soon.length === 0) return { state: 'ok', message: `${plural(found.length, 'certificate')}, none of which expires unrenewed` };
      const expired = soon.some(({ notAfter }) => notAfter === undefined || notAfter < now);
      return {
        state: 'failed',
        severity: expired ? 'error' : 'warning',
        message: `${plural(soon.length, 'certificate')} expired or about to`,
        details,
      };
    },
  },
  {
    id: 'certificates/present',
    what: 'every certificate that a proxy asks for is there, and is what its source has now',
    why: 'Connections that need a missing one fail; a source that cannot be read is noticed only when the old one expires.',
    severity: 'error',
    next: 'See to the files and Secrets that are named; the agent takes them as soon as they are sound.',
    after: ['agent/reachable'],
    async run({ status }) {
      const { identity } = await status();
      const problems = identity?.problems ?? [];
      if (problems.length === 0) return { state: 'ok', message: 'nothing is missing' };
      return {
        state: 'failed',
        severity: problems.every(({ serves }) => serves) ? 'warning' : 'error',
        message: `${plural(problems.length, 'secret')} missing or older than ${problems.length === 1 ? 'its' : 'their'} source`,
        details: problems.map(({ proxy, name, message }) => `${proxy}: ${name === '' ? '' : `${name}: `}${message}`),
      };
    },
  },
  {
    id: 'proxy/running',
    what: 'the data plane runs',
    why: 'It carries the traffic: while it is away nothing gets through.',
    severity: 'error',
    next: 'Read why it ended in proxy.log (or envoy/NAME/*.log) in the data directory, and in the agent’s own output.',
    after: ['agent/reachable'],
    async run({ status }) {
      const { engine } = await status();
      const { state, restarts, lastExit } = engine;
      const what = `${engine.engine} ${engine.engineVersion}`;
      const ended = restarts === 0 ? '' : `, restarted ${restarts === 1 ? 'once' : `${restarts} times`} (last: ${lastExit ?? 'unknown'})`;
      if (state !== 'running') return { state: 'failed', message: `${what} is ${state}${ended}` };
      if (restarts === 0) return { state: 'ok', message: `${what}, running` };
      return { state: 'failed', severity: 'warning', message: `${what} runs${ended}` };
    },
  },
  {
    id: 'proxy/answers',
    what: 'every proxy answers',
    why: 'A proxy whose event loop hangs keeps its ports and serves nobody.',
    severity: 'error',
    next: 'Look at its CPU and its log. The agent ends an embedded proxy that hangs and starts another.',
    after: ['proxy/running'],
    async run(probes) {
      const { proxies } = await probes.status();
      const applied = proxies.filter((p) => p.sync !== 'NOT SENT' && p.sync !== 'STARTING' && p.sync !== 'ERROR');
      if (applied.length === 0) return { state: 'nothing', message: 'no proxy runs a configuration' };
      const told = await Promise.all(
        applied.map(async ({ name }) => ({ name, ready: await probes.ready(name).catch((e: Error) => e.message) })),
      );
      const bad = told.filter((t) => t.ready !== 'LIVE');
      if (bad.length === 0) return { state: 'ok', message: plural(told.length, 'proxy').replace('proxys', 'proxies') };
      return {
        state: 'failed',
        message: `${bad.length} of ${told.length} are not ready`,
        details: bad.map((b) => `${b.name}: ${b.ready}`),
      };
    },
  },
  {
    id: 'config/accepted',
    what: 'the configuration on disk is accepted',
    why: 'A refused configuration changes nothing: what ran before runs on, however old it is.',
    severity: 'error',
    next: 'Correct what is named; `fairlead analyze` finds all of it before it is deployed.',
    after: ['agent/reachable'],
    async run({ status }) {
      const { config } = await status();
      const errors = config.problems.filter((p) => p.severity === 'error');
      const of = `${plural(config.resources, 'resource')} of ${plural(config.files, 'file')}`;
      if (config.state === 'refused')
        return { state: 'failed', message: `refused with ${plural(errors.length, 'error')}`, details: errors.slice(0, 10).map(place) };
      if (config.state === 'loading')
        return { state: 'failed', message: 'it is still being read', next: 'Wait for it with `fairlead wait`.' };
      const notes = config.problems.length - errors.length;
      if (errors.length > 0)
        return {
          state: 'failed',
          severity: 'warning',
          message: `${of} run, ${plural(errors.length, 'policy').replace('policys', 'policies')} unenforced`,
          details: errors.slice(0, 10).map(place),
        };
      return { state: 'ok', message: `${of}${notes > 0 ? `, ${plural(notes, 'warning')} (\`fairlead agent status -o json\`)` : ''}` };
    },
  },
  {
    id: 'config/applied',
    what: 'every proxy has applied it',
    why: 'A proxy that refused its configuration serves by the one before.',
    severity: 'error',
    next: 'Correct what is named; `fairlead proxy-status` shows how each stands, `fairlead wait` waits for it.',
    after: ['config/accepted', 'proxy/answers'],
    async run({ status }) {
      const { proxies } = await status();
      if (proxies.length === 0)
        return {
          state: 'failed',
          severity: 'warning',
          message: 'nothing of the configuration runs on this node',
          next: 'A WorkloadEntry whose address is this host’s, or a Gateway, gives it a proxy.',
        };
      const behind = proxies.filter((p) => p.sync !== 'SYNCED');
      const details = behind.flatMap((p) => [`${p.name} is ${p.sync}`, ...p.problems.slice(0, 5).map((problem) => `  ${place(problem)}`)]);
      if (behind.length === 0)
        return {
          state: 'ok',
          message: `${proxies
            .map((p) => p.name)
            .slice(0, 8)
            .join(', ')}${proxies.length > 8 ? ', …' : ''}`,
        };
      return { state: 'failed', message: `${behind.length} of ${proxies.length} have not`, details };
    },
  },
];
