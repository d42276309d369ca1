/** An agent in the foreground: what `fairlead up` does and says. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { FairleadError, type Problem } from '../src/errors.ts';
import { collectWhenIdle } from '../src/memory/collect-when-idle.ts';
import { formatProblems } from '../src/output/problems.ts';
import { requestLine } from '../src/output/request-line.ts';
import { changeText, meshText } from '../src/output/up.ts';
import { type Agent, type AgentOptions, startAgent } from './agent.ts';
import type { EngineChoice } from './choose-engine.ts';
import { isBlocking } from './config-problems.ts';
import type { ControllerEvent } from './controller.ts';
import { defaultDataDirectory } from './data-directory.ts';
import { exampleUrl, wrongPort } from './known-ports.ts';
import type { LiveSource } from './live-source.ts';
import { createLog } from './log.ts';
import { refusalOf } from './refusal-note.ts';
import { createRouteLocator } from './route-locator.ts';
import { listenToSignals, type Signals, Stopped } from './signals.ts';

export interface ForegroundOptions {
  paths: readonly string[];
  /** A cluster, besides. */
  live?: LiveSource | undefined;
  namespace: string;
  meshConfig?: string;
  dataDirectory?: string;
  engine: EngineChoice;
  /** Where certificates come from. */
  identity: Pick<AgentOptions, 'ca' | 'certificateLifeMs'>;
  apiPort: number;
  allowUnenforced: boolean;
  version: string;
  /** No line for each request. */
  quiet: boolean;
  /** Colours on standard output. */
  color: boolean;
  /** Colours on standard error. */
  errorColor: boolean;
  write(text: string): void;
}

/** A proxy whose `up` was killed serves this long, then ends: no stray processes on a laptop. */
const ORPHAN_SECONDS = 60;
const DRAIN_MS = 30_000;

/** Runs until a signal or until the API is asked to stop. Throws E_CONFIG_REFUSED when the configuration is refused at the start. */
export async function runForeground(options: ForegroundOptions): Promise<void> {
  const signals = listenToSignals(['SIGINT', 'SIGTERM', 'SIGHUP']);
  const stopCollecting = collectWhenIdle();
  try {
    const agent = await start(options, signals.abort);
    await refuseToRun(agent, options);
    await serve(agent, options, signals);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    // Ctrl-C is how it ends, however early: not an error.
  } finally {
    stopCollecting();
    signals.close();
  }
}

function start(options: ForegroundOptions, abort: AbortSignal): Promise<Agent> {
  const { paths, live, namespace, meshConfig, engine, apiPort, allowUnenforced, version } = options;
  return startAgent({
    paths,
    live,
    namespace,
    ...(meshConfig ? { meshConfig } : {}),
    dataDirectory: options.dataDirectory ?? directoryFor(live === undefined ? paths : [...paths, live.source.name]),
    engine,
    ...options.identity,
    apiPort,
    allowUnenforced,
    orphanSeconds: ORPHAN_SECONDS,
    version,
    log: createLog(options.errorColor ? 'colored' : 'plain', 'warning', (line) => process.stderr.write(line)),
    abort,
  });
}

/** Whoever starts a mesh by hand wants to know at once what is wrong with it. */
async function refuseToRun(agent: Agent, { allowUnenforced }: ForegroundOptions): Promise<void> {
  const config = agent.controller.config();
  const refused = agent.controller.proxies().flatMap((p) => p.refused?.problems ?? []);
  if (config.state !== 'refused' && refused.length === 0) return;
  await agent.stop(0);
  const unenforced = !isBlocking(config.problems, true) && isBlocking(config.problems, allowUnenforced);
  throw new FairleadError('E_CONFIG_REFUSED', 'the configuration is refused; nothing was started', {
    problems: [...config.problems, ...refused],
    ...(unenforced
      ? { next: 'Policies that cannot be enforced are refused, not ignored. --allow-unenforced runs the rest without them.' }
      : {}),
  });
}

async function serve(agent: Agent, options: ForegroundOptions, signals: Signals): Promise<void> {
  const { write, color } = options;
  const show = async (problems: readonly Problem[]): Promise<void> => {
    if (problems.length === 0) return;
    const text = await formatProblems(problems, { color: options.errorColor, width: process.stderr.columns ?? 100 });
    process.stderr.write(`${text}\n\n`);
  };
  await show(agent.controller.config().problems);
  const mesh = agent.controller.mesh();
  const example = mesh && exampleUrl(mesh, proxyForTrying(agent) ?? { namespace: options.namespace });
  write(meshText(agent.status(), agent.api.url, options.paths, { color, width: process.stdout.columns, example }));

  // One after the other, as they happened.
  let telling = Promise.resolve();
  let away = false;
  const endTelling = agent.events.subscribe((event) => {
    if (event.type === 'config') telling = telling.then(() => tell(event.event));
    else {
      // That it ended, and why, is in the log.
      if (away && event.status.state === 'running') write('the proxy serves again\n');
      away = event.status.state === 'backing-off';
    }
  });
  async function tell(event: ControllerEvent): Promise<void> {
    if (event.type === 'proxy-taken') return;
    await show(event.type === 'proxy-refused' ? (event.proxy.refused?.problems ?? []) : event.config.problems);
    write(changeText(event, agent.status(), color));
  }
  const endRequests = options.quiet ? undefined : showRequests(agent, options);

  const why = await Promise.race([signals.first, agent.ended]);
  // That it ends is the last word.
  endTelling();
  endRequests?.();
  await telling;
  if (why) write(`\n${why === 'SIGINT' ? 'Ctrl-C' : why}: requests in flight finish, then this ends (again to end at once)\n`);
  signals.onSecond(() => void agent.stop(0));
  await agent.stop(DRAIN_MS);
}

/** Returns the function that ends it. */
function showRequests(agent: Agent, { write, color }: ForegroundOptions): () => void {
  const locate = createRouteLocator(() => agent.controller.mesh());
  return agent.engine.onRecord((record) => {
    const mesh = agent.controller.mesh();
    const hint = mesh && wrongPort(mesh, record);
    const refusal = refusalOf(record, agent.controller);
    write(`${requestLine(record, { color, where: refusal?.where ?? locate(record), hint, refusal: refusal?.text })}\n`);
  });
}

/** The proxy that the proposed command goes through: the first that is an HTTP proxy. */
function proxyForTrying(agent: Agent): { namespace: string } | undefined {
  return agent.controller.proxies().find(({ node }) => node.httpProxyPort !== undefined)?.node;
}

/** Each folder has a directory of its own, so that two meshes can be up at once. */
function directoryFor(paths: readonly string[]): string {
  const key = createHash('sha256')
    .update(paths.map((p) => resolve(p)).join('\n'))
    .digest('hex')
    .slice(0, 12);
  return join(defaultDataDirectory(), 'up', key);
}
