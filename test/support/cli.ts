/** The built command line as a process; with the embedded proxy unless a test names another engine, whatever is on the machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const bin = fileURLToPath(new URL('../../bin/fairlead.js', import.meta.url));

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command line to its end. */
export function fairlead(
  args: readonly string[],
  options: { cwd?: string; input?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '1', FAIRLEAD_ENGINE: 'embedded', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const ran: Ran = { code: null, out: '', err: '' };
    child.stdout.on('data', (d) => {
      ran.out += d;
    });
    child.stderr.on('data', (d) => {
      ran.err += d;
    });
    child.on('error', reject);
    // A command that reads nothing may have ended before this is written.
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => resolve({ ...ran, code }));
    child.stdin.end(options.input ?? '');
  });
}

export interface Running {
  child: ChildProcess;
  /** All that it has said so far. */
  out(): string;
  err(): string;
  ended: Promise<number | null>;
}

/** Starts a command line that goes on. */
export function startFairlead(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, NO_COLOR: '1', FAIRLEAD_ENGINE: 'embedded', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (d) => {
    out += d;
  });
  child.stderr.on('data', (d) => {
    err += d;
  });
  return { child, out: () => out, err: () => err, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
}
