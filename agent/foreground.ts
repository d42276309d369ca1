/** An agent in the foreground: what `fairlead up` does and says. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { EXIT, FairleadError } from '../src/errors.ts';
import { formatProblems } from '../src/output/problems.ts';
import { requestLine } from '../src/output/request-line.ts';
import { changeText, meshText } from '../src/output/up.ts';
import { type Agent, startAgent } from './agent.ts';
import type { ConfigState, ControllerEvent } from './controller.ts';
import { defaultDataDirectory } from './data-directory.ts';
import { createLog } from './log.ts';
import { createRouteLocator } from './route-locator.ts';
import { untilSignal } from './signals.ts';

export interface ForegroundOptions {
  paths: readonly string[];
  namespace: string;
  meshConfig?: string;
  dataDirectory?: string;
  apiPort: number;
  allowUnenforced: boolean;
  version: string;
  /** No line for each request. */
  quiet: boolean;
  color: boolean;
  write(text: string): void;
}

/** A proxy whose `up` was killed serves this long, then ends: no stray processes on a laptop. */
const ORPHAN_SECONDS = 60;
const DRAIN_MS = 30_000;

/** Runs until a signal or until the API is asked to stop. Throws E_CONFIG_REFUSED when the configuration is refused at the start. */
export async function runForeground(options: ForegroundOptions): Promise<void> {
  const { write, color } = options;
  const log = createLog('text', 'warning', (line) => process.stderr.write(line));
  const agent = await startAgent({
    paths: options.paths,
    namespace: options.namespace,
    ...(options.meshConfig ? { meshConfig: options.meshConfig } : {}),
    dataDirectory: options.dataDirectory ?? directoryFor(options.paths),
    apiPort: options.apiPort,
    allowUnenforced: options.allowUnenforced,
    orphanSeconds: ORPHAN_SECONDS,
    version: options.version,
    log,
  });
  const signal = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], agent.ended);
  const problems = async (config: ConfigState): Promise<string> =>
    config.problems.length === 0 ? '' : `${await formatProblems(config.problems, { color, width: process.stderr.columns ?? 100 })}\n`;

  const first = agent.controller.config();
  const refused = agent.controller.proxies().filter((p) => p.refused);
  if (first.state === 'refused' || refused.length > 0) {
    await agent.stop(0);
    throw new FairleadError('E_CONFIG_REFUSED', 'the configuration is refused; nothing was started', {
      problems: [...first.problems, ...refused.flatMap((p) => p.refused?.problems ?? [])],
      ...(first.problems.some((p) => p.severity === 'error' && p.rule.startsWith('unsupported/'))
        ? { next: 'Policies that cannot be enforced yet are refused, not ignored. --allow-unenforced runs the rest without them.' }
        : {}),
    });
  }
  process.stderr.write(await problems(first));
  write(meshText(agent.status(), agent.api.url, options.paths, color));

  agent.events.subscribe((event) => {
    if (event.type === 'config') void tell(event.event);
    else if (event.status.state === 'backing-off') write(`proxy ended (${event.status.lastExit}); it is being restarted\n`);
  });
  async function tell(event: ControllerEvent): Promise<void> {
    if (event.type === 'proxy-refused') {
      write(`refused by the proxy of ${event.proxy.node.name}.${event.proxy.node.namespace}; its last good configuration runs on\n`);
      process.stderr.write(
        `${await formatProblems(event.proxy.refused?.problems ?? [], { color, width: process.stderr.columns ?? 100 })}\n`,
      );
      return;
    }
    process.stderr.write(await problems(event.config));
    write(changeText(event, agent.status(), color));
  }
  if (!options.quiet) showRequests(agent, options);

  const why = await signal;
  if (why) write(`\n${why === 'SIGINT' ? 'Ctrl-C' : why}: requests in flight finish, then this ends (again to end at once)\n`);
  await agent.stop(DRAIN_MS);
  if (why === 'SIGINT') process.exitCode = EXIT.done;
}

function showRequests(agent: Agent, { write, color }: ForegroundOptions): void {
  const locate = createRouteLocator(() => agent.controller.mesh());
  agent.engine.onRecord((record) => write(`${requestLine(record, { color, where: locate(record) })}\n`));
}

/** Each folder has a directory of its own, so that two meshes can be up at once. */
function directoryFor(paths: readonly string[]): string {
  const key = createHash('sha256')
    .update(paths.map((p) => resolve(p)).join('\n'))
    .digest('hex')
    .slice(0, 12);
  return join(defaultDataDirectory(), 'up', key);
}
