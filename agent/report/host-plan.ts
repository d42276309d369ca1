/** What a host has for a report: the agent, its proxies, their logs, and the configuration that it runs. */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { AgentConfigAnswer } from '../../src/cli/agent-paths.ts';
import { agentPaths } from '../../src/cli/agent-paths.ts';
import { defaultAgentAddress } from '../client.ts';
import { exchange, type HttpAnswer, httpTarget } from '../http-client.ts';
import type { AgentStatus } from '../status.ts';
import { configItems } from './config-items.ts';
import { logTail } from './log-tail.ts';
import { proxyItems } from './proxy-items.ts';
import { json, type LeftOut, type ReportItem, type ReportLimits, type ReportPlan } from './types.ts';
import { versionsItem } from './versions-item.ts';

export interface HostPlanOptions extends ReportLimits {
  /** undefined: this node’s. */
  readonly agent: string | undefined;
  readonly dataDirectory: string;
  /** Configuration besides, or where no agent tells what it reads. */
  readonly paths: readonly string[];
  readonly version: string;
}

type Ask = (method: 'GET' | 'POST', path: string, signal?: AbortSignal) => Promise<HttpAnswer>;

/** The plan of a host. An agent that does not answer is left out, and its logs and files are not. */
export async function hostPlan(options: HostPlanOptions, signal: AbortSignal): Promise<ReportPlan> {
  const address = options.agent ?? defaultAgentAddress();
  const ask = askOf(address, options.timeoutMs);
  const leftOut: LeftOut[] = [];
  const status = await agentJson<AgentStatus>(ask, 'status', signal).catch((error: Error) => {
    signal.throwIfAborted();
    leftOut.push({ path: 'agent/', why: `no agent answers at ${address}: ${error.message}` });
    return undefined;
  });
  const config = status && (await agentJson<AgentConfigAnswer>(ask, 'config', signal).catch(() => undefined));
  const read =
    options.paths.length > 0 || config === undefined
      ? { paths: options.paths, namespace: undefined, meshConfig: undefined }
      : agentPaths(config);
  return {
    items: [
      versionsItem(options.version),
      doctorItem(address, options),
      ...(status === undefined ? [] : agentItems(ask)),
      ...(await configItems(read)),
      ...(status?.proxies ?? []).flatMap(({ name }) =>
        proxyItems(`proxies/${name}`, (method, path, s) => ask(method, `/proxies/${encodeURIComponent(name)}${path}`, s)),
      ),
      ...logItems(options),
    ],
    leftOut,
    notes: ['An agent keeps no events: its own log is where it writes to (the terminal, or the journal).'],
  };
}

function doctorItem(address: string, { dataDirectory, version }: HostPlanOptions): ReportItem {
  return {
    path: 'doctor.json',
    what: 'what doctor says',
    async collect() {
      const [{ runChecks }, { meshDoctor }, { meshProbes }, { agentClient }] = await Promise.all([
        import('../../src/doctor/run-checks.ts'),
        import('../../src/doctor/checks/all.ts'),
        import('../doctor-probes.ts'),
        import('../client.ts'),
      ]);
      return json(
        await runChecks(meshDoctor, meshProbes(dataDirectory, agentClient(address), version), { skip: [], now: () => performance.now() }),
      );
    },
  };
}

function askOf(address: string, timeoutMs: number): Ask {
  const target = httpTarget(address);
  return (method, path, signal) => {
    if (target === undefined) return Promise.reject(new Error(`${address} is no address`));
    return exchange({ ...target, options: { ...target.options, ...(signal ? { signal } : {}) } }, method, path, undefined, timeoutMs);
  };
}

async function agentJson<T>(ask: Ask, name: string, signal: AbortSignal): Promise<T> {
  const { status, body } = await ask('GET', `/fairlead/v1/${name}`, signal);
  if (status !== 200) throw new Error(`it answered ${status}`);
  return JSON.parse(body.toString('utf8')) as T;
}

function agentItems(ask: Ask): ReportItem[] {
  const own = (name: string, what: string): ReportItem => ({
    path: `agent/${name}.json`,
    what,
    collect: async (signal) => json(await agentJson(ask, name, signal)),
  });
  return [
    own('status', 'status of the agent, its engine, proxies and certificates'),
    own('config', 'where the configuration is read from'),
    own('resources', 'names of what the configuration has'),
    {
      path: 'agent/metrics.txt',
      what: 'metrics',
      collect: async (signal) => ({ content: (await ask('GET', '/stats/prometheus', signal)).body.toString('utf8') }),
    },
  ];
}

function logItems({ dataDirectory, logBytes, sinceMs, timeoutMs }: HostPlanOptions): ReportItem[] {
  const files = globSync(['*.log', '*.log.1', 'envoy/**/*.log', 'envoy/**/*.log.1'].map((pattern) => join(dataDirectory, pattern))).sort();
  const journal: ReportItem = {
    path: 'logs/journal.txt',
    what: 'the journal of the units fairlead-agent and fairlead-ca',
    async collect(signal) {
      const since = sinceMs === undefined ? [] : [`--since=-${Math.ceil(sinceMs / 1000)}s`];
      const args = ['-u', 'fairlead-agent', '-u', 'fairlead-ca', '--no-pager', '-q', '-o', 'short-iso', '-n', '50000', ...since];
      const { stdout } = await promisify(execFile)('journalctl', args, { signal, timeout: timeoutMs, maxBuffer: 256 * 1024 * 1024 }).catch(
        (error: NodeJS.ErrnoException) => {
          throw new Error(error.code === 'ENOENT' ? 'there is no journal on this machine' : (error.message.split('\n')[0] ?? ''));
        },
      );
      if (stdout.trim() === '') throw new Error('the journal has nothing of them');
      return { content: stdout.slice(-logBytes) };
    },
  };
  return [
    journal,
    ...files.map((file): ReportItem => {
      const name = relative(dataDirectory, file);
      return { path: `logs/${name}`, what: 'log', collect: async () => logTail(file, logBytes) };
    }),
  ];
}
