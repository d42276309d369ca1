/** Waits until proxies have applied the configuration as it is on disk. */
import { FairleadError, type Problem } from '../src/errors.ts';
import type { AgentClient } from './client.ts';
import type { AgentStatus, ProxyStatus } from './status.ts';

export interface WaitOptions {
  /** `NAME[.NAMESPACE]`; undefined: every proxy of the node. */
  proxy: string | undefined;
  /** Resources that the configuration must have. */
  resources: readonly WantedResource[];
  timeoutMs: number;
  /** Told while something is still to come. */
  progress?(waiting: readonly string[], elapsedMs: number): void;
}

/** `VirtualService/reviews.default`. */
export interface WantedResource {
  kind: string;
  name: string;
  namespace: string;
}

export interface WaitResult {
  result: 'applied' | 'refused' | 'deadline';
  /** Milliseconds. */
  took: number;
  config: Pick<AgentStatus['config'], 'state' | 'files' | 'resources'>;
  proxies: readonly { name: string; sync: ProxyStatus['sync']; version: string | undefined }[];
  /** What is still to come: names of proxies and resources. */
  waiting: readonly string[];
  /** Why it was refused. */
  problems: readonly Problem[];
}

const POLL_MS = 150;
const LAST_QUESTION_MS = 500;
const AWAY = 'engine/unavailable';

/**
 * Asks the agent to read the configuration, then waits for its proxies. A refusal ends it at once; a data plane that is away does not.
 * Throws E_AGENT_UNREACHABLE, and E_PROXY_UNKNOWN with the names there are.
 */
export async function waitApplied(agent: AgentClient, options: WaitOptions): Promise<WaitResult> {
  const started = performance.now();
  const left = (): number => options.timeoutMs - (performance.now() - started);
  let status: AgentStatus | undefined;
  let waiting: readonly string[] = ['the agent'];
  const result = (word: WaitResult['result'], problems: readonly Problem[] = []): WaitResult => ({
    result: word,
    took: Math.round(performance.now() - started),
    config: { state: status?.config.state ?? 'loading', files: status?.config.files ?? 0, resources: status?.config.resources ?? 0 },
    proxies: (status?.proxies ?? []).map(({ name, sync, version }) => ({ name, sync, version })),
    waiting: word === 'applied' ? [] : waiting,
    problems,
  });
  const ticking = setInterval(() => options.progress?.(waiting, performance.now() - started), 500);
  try {
    // An agent of another version that takes long is no agent that is away.
    status = await within(agent.post<AgentStatus>('/fairlead/v1/sync', {}, Math.max(1, left())), left());
    for (;;) {
      if (status === undefined) {
        // An agent that is still applying can say what it waits for; one that hangs cannot.
        status = await within(agent.getJson<AgentStatus>('/fairlead/v1/status'), LAST_QUESTION_MS).catch(() => undefined);
        if (status !== undefined) waiting = stillWaiting(status, options.proxy);
        if (waiting.length === 0) waiting = ['the agent, which is still applying it'];
        return result('deadline');
      }
      const refused = refusals(status, options.proxy);
      if (refused.length > 0) return result('refused', refused);
      waiting = stillWaiting(status, options.proxy);
      if (waiting.length === 0 && status.config.state === 'accepted') waiting = await missing(agent, options.resources);
      if (waiting.length === 0 && status.config.state === 'accepted') return result('applied');
      if (left() <= 0) return result('deadline');
      await new Promise((resolve) => setTimeout(resolve, Math.min(POLL_MS, Math.max(1, left()))));
      status = (await within(agent.getJson<AgentStatus>('/fairlead/v1/status'), Math.max(POLL_MS, left()))) ?? status;
    }
  } finally {
    clearInterval(ticking);
  }
}

/** undefined when it takes longer; the agent's own errors as they are. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(1, ms));
  });
  const done = work.catch((error: unknown) => {
    const cause = error instanceof FairleadError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    if (cause?.code === 'ETIMEDOUT') return undefined;
    throw error;
  });
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function chosen(status: AgentStatus, name: string | undefined): readonly ProxyStatus[] {
  if (name === undefined) return status.proxies;
  const exact = status.proxies.filter((p) => p.name === name);
  const short = status.proxies.filter((p) => p.name.slice(0, p.name.lastIndexOf('.')) === name);
  const found = exact.length > 0 ? exact : short;
  if (found.length === 1) return found;
  const known = (found.length > 1 ? found : status.proxies).map((p) => p.name);
  throw new FairleadError(
    'E_PROXY_UNKNOWN',
    found.length > 1 ? `${name} is the name of several proxies` : `no proxy ${name} runs on this node`,
    { next: known.length > 0 ? `There are: ${known.join(', ')}.` : 'Nothing in the configuration runs on this node.' },
  );
}

/** Refused as a whole, or by one of the proxies. */
function refusals(status: AgentStatus, name: string | undefined): Problem[] {
  if (status.config.state === 'refused') {
    const errors = status.config.problems.filter((p) => p.severity === 'error');
    return errors.length > 0 ? errors : [...status.config.problems];
  }
  return chosen(status, name).flatMap((p) => (p.sync === 'ERROR' ? p.problems.filter((problem) => problem.rule !== AWAY) : []));
}

function stillWaiting(status: AgentStatus, name: string | undefined): string[] {
  const applied = (p: ProxyStatus): boolean =>
    p.sync === 'SYNCED' && (p.types ?? []).every((t) => t.state === 'SYNCED' || t.state === 'NOT SENT');
  return chosen(status, name)
    .filter((p) => !applied(p))
    .map((p) => p.name);
}

async function missing(agent: AgentClient, wanted: readonly WantedResource[]): Promise<string[]> {
  if (wanted.length === 0) return [];
  const there = await agent.getJson<readonly WantedResource[]>('/fairlead/v1/resources');
  return wanted
    .filter((w) => !there.some((r) => r.kind === w.kind && r.name === w.name && r.namespace === w.namespace))
    .map((w) => `${w.kind} ${w.name}.${w.namespace}`);
}
