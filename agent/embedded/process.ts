/** The embedded proxy's process: find a running one, start one, know when it is gone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { FairleadError } from '../../src/errors.ts';
import { exchange, type HttpTarget } from '../http-client.ts';
import { ofStranger } from '../os-process.ts';
import { processIdentity } from '../process-identity.ts';
import { type Hello, PROTOCOL_VERSION } from '../proxy/protocol.ts';
import { proxyEntry } from './proxy-entry.ts';
import { openProxyLog } from './proxy-log.ts';

export interface ProxyProcessOptions {
  socket: string;
  logFile: string;
  version: string;
  /** The process ends by itself when no agent was attached for so long; undefined: it stays. */
  orphanSeconds: number | undefined;
}

export interface ProxyProcess {
  readonly hello: Hello;
  /** An earlier agent started it. */
  readonly adopted: boolean;
  /** Called once when it has ended. An adopted process is not watched: only its control connection tells. */
  onExit(listener: (why: string) => void): void;
  /** Resolves with the reason once it is gone; it is killed when it is still there after `graceMs`. */
  gone(graceMs: number): Promise<string>;
}

/** Long, because a loaded machine may take its time; nobody waits for it when the process ends sooner. */
const START_DEADLINE_MS = 30_000;
const GREET_MS = 2000;
/**
 * Of a request nearly nothing stays alive, so that a small young generation costs no more processor time (67 to 90 µs a request either
 * way) and saves 10 to 20 MB under load.
 */
const V8_FLAGS = ['--max-semi-space-size=2'];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Says hello to whoever listens on the control socket; undefined when nobody does. */
export async function greet(target: HttpTarget, timeoutMs = GREET_MS): Promise<Hello | undefined> {
  try {
    const { status, body } = await exchange(target, 'GET', '/fairlead/v1/hello', undefined, timeoutMs);
    return status === 200 ? (JSON.parse(body.toString('utf8')) as Hello) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A proxy that an earlier agent left, when this agent can talk to it. One that speaks another protocol is ended, so that its ports are
 * free: its requests in flight get `drainMs`.
 */
export async function adoptProxyProcess(target: HttpTarget, drainMs = 5000): Promise<ProxyProcess | undefined> {
  const hello = await greet(target);
  if (!hello) return undefined;
  const process: ProxyProcess = { hello, adopted: true, onExit: () => undefined, gone: goneStranger(hello.pid) };
  if (hello.protocol === PROTOCOL_VERSION) return process;
  await endProxyProcess(target, drainMs);
  return undefined;
}

/** Ends the proxy that an earlier agent left: its requests in flight get `drainMs`. Returns whether there was one. */
export async function endProxyProcess(target: HttpTarget, drainMs = 5000): Promise<boolean> {
  const hello = await greet(target);
  if (!hello) return false;
  const gone = goneStranger(hello.pid);
  await exchange(target, 'POST', '/fairlead/v1/drain', { deadlineMs: drainMs }, drainMs + 1000).catch(() => undefined);
  await exchange(target, 'POST', '/fairlead/v1/stop').catch(() => undefined);
  await gone(drainMs);
  return true;
}

/** Only its control connection tells that it ended; the process itself may need a moment more. */
function goneStranger(pid: number): ProxyProcess['gone'] {
  const ended = 'the control connection ended';
  const process = ofStranger(pid, processIdentity(pid), () => ended);
  return async (graceMs) => process?.gone(graceMs) ?? ended;
}

/** Starts the process and waits until it answers. Throws E_ENGINE_FAILED, also when `cancelled` says so meanwhile; nothing runs then. */
export async function startProxyProcess(target: HttpTarget, options: ProxyProcessOptions, cancelled: () => boolean): Promise<ProxyProcess> {
  const log = openProxyLog(options.logFile);
  const args = [...V8_FLAGS, proxyEntry(), '--control', options.socket, '--version', options.version];
  if (options.orphanSeconds !== undefined) args.push('--orphan-seconds', String(options.orphanSeconds));
  // Detached: a Ctrl-C in the agent's terminal must not reach the data plane before it is drained.
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
  log.close();
  const ended = watchChild(child);
  child.unref();
  for (const deadline = Date.now() + START_DEADLINE_MS; Date.now() < deadline && ended.why === undefined && !cancelled(); ) {
    if (existsSync(options.socket)) {
      const hello = await greet(target);
      if (hello && hello.pid === child.pid) return { hello, adopted: false, onExit: ended.onExit, gone: ended.gone };
    }
    await pause(10);
  }
  const why = ended.why ?? (cancelled() ? 'it is no longer wanted' : `no answer after ${START_DEADLINE_MS / 1000} s`);
  await ended.gone(0);
  const said = log.tail();
  throw new FairleadError('E_ENGINE_FAILED', `the embedded proxy did not start: ${why}${said === '' ? '' : `\n${said}`}`, {
    next: `Its log is ${options.logFile}.`,
  });
}

function watchChild(child: ChildProcess): Pick<ProxyProcess, 'onExit' | 'gone'> & { readonly why: string | undefined } {
  const listeners: ((why: string) => void)[] = [];
  let why: string | undefined;
  const end = (reason: string): void => {
    if (why !== undefined) return;
    why = reason;
    for (const l of listeners.splice(0)) l(reason);
  };
  child.on('error', (error) => end(error.message));
  child.on('exit', (code, signal) => end(signal ? `killed by ${signal}` : `exit code ${code}`));
  const onExit = (listener: (why: string) => void): void => {
    if (why === undefined) listeners.push(listener);
    else listener(why);
  };
  return {
    get why() {
      return why;
    },
    onExit,
    gone: (graceMs) =>
      new Promise((resolve) => {
        // Referenced while somebody waits, so that the process does not end before its child.
        child.ref();
        const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
        onExit((reason) => {
          clearTimeout(timer);
          child.unref();
          resolve(reason);
        });
      }),
  };
}
