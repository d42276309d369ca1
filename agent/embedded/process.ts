/** The embedded proxy's process: find a running one, start one, know when it is gone. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/cli/package-root.ts';
import { FairleadError } from '../../src/errors.ts';
import { exchange, type HttpTarget } from '../http-client.ts';
import { type Hello, PROTOCOL_VERSION } from '../proxy/protocol.ts';

export interface ProxyProcessOptions {
  socket: string;
  logFile: string;
  version: string;
  /** The process ends by itself when no agent was attached for so long; undefined: it stays. */
  orphanSeconds: number | undefined;
}

const START_DEADLINE_MS = 10_000;

/** Says hello to whoever listens on the control socket; undefined when nobody does. */
export async function greet(target: HttpTarget): Promise<Hello | undefined> {
  try {
    const { status, body } = await exchange(target, 'GET', '/fairlead/v1/hello', undefined, 2000);
    return status === 200 ? (JSON.parse(body.toString('utf8')) as Hello) : undefined;
  } catch {
    return undefined;
  }
}

/** A proxy that an earlier agent left, when this agent can talk to it. */
export async function adoptable(target: HttpTarget): Promise<Hello | undefined> {
  const hello = await greet(target);
  if (!hello) return undefined;
  if (hello.protocol === PROTOCOL_VERSION) return hello;
  // Another version of Fairlead left it: it cannot be spoken to, so it makes room, draining first.
  await exchange(target, 'POST', '/fairlead/v1/stop').catch(() => undefined);
  return undefined;
}

/** Starts the process and waits until it answers. `exited` is called once when it ends. Throws E_ENGINE_FAILED. */
export async function startProxyProcess(target: HttpTarget, options: ProxyProcessOptions, exited: (why: string) => void): Promise<Hello> {
  const log = openSync(options.logFile, 'a', 0o600);
  const args = [entry(), '--control', options.socket, '--version', options.version];
  if (options.orphanSeconds !== undefined) args.push('--orphan-seconds', String(options.orphanSeconds));
  // Detached: a Ctrl-C in the agent's terminal must not reach the data plane before it is drained.
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let gone: string | undefined;
  child.on('error', (e) => {
    gone ??= e.message;
  });
  child.on('exit', (code, signal) => {
    gone ??= signal ? `killed by ${signal}` : `exit code ${code}`;
    exited(gone);
  });
  child.unref();
  for (const deadline = Date.now() + START_DEADLINE_MS; Date.now() < deadline && gone === undefined; ) {
    if (existsSync(options.socket)) {
      const hello = await greet(target);
      if (hello && hello.pid === child.pid) return hello;
    }
    await new Promise((r) => setTimeout(r, 10));
  }
  if (gone === undefined) child.kill('SIGKILL');
  throw new FairleadError(
    'E_ENGINE_FAILED',
    `the embedded proxy did not start: ${gone ?? `no answer after ${START_DEADLINE_MS / 1000} s`}`,
    {
      next: `Its log says why: ${options.logFile}`,
    },
  );
}

/** The proxy's main file: the bundled one when this file is in dist/, else the source. */
function entry(): string {
  return import.meta.filename.endsWith('.ts')
    ? join(packageRoot(), 'agent/proxy/main.ts')
    : join(packageRoot(), 'dist/agent/proxy/main.js');
}
