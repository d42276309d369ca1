/** Where an agent keeps what must survive it. One agent at a time; everything 0600; writes are whole or not at all. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FairleadError } from '../src/errors.ts';

export interface DataDirectory {
  readonly path: string;
  readonly agentSocket: string;
  readonly proxySocket: string;
  readonly proxyLog: string;
  /** Replaces a file: temporary file, sync, rename. Throws E_DATA_DIRECTORY. */
  write(name: string, content: string): void;
  /** undefined when it is not there. */
  read(name: string): string | undefined;
  remove(name: string): void;
  /** Another agent may take it from here on. Idempotent. */
  release(): void;
}

/** `FAIRLEAD_DATA`, else /var/lib/fairlead for root, else the user's state directory. */
export function defaultDataDirectory(): string {
  const named = process.env['FAIRLEAD_DATA'];
  if (named) return resolve(named);
  if (process.getuid?.() === 0) return '/var/lib/fairlead';
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'fairlead');
}

/** The sockets of a data directory, without opening it: how commands find a running agent. */
export function socketsOf(path: string): { agent: string; proxy: string } {
  return { agent: socketPath(path, 'agent'), proxy: socketPath(path, 'proxy') };
}

/** Opens it, creating it when needed. Throws E_AGENT_RUNNING while another agent holds it, E_DATA_DIRECTORY when it cannot be used. */
export function openDataDirectory(path: string): DataDirectory {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(path, error);
  }
  const lock = join(path, 'agent.pid');
  takeLock(lock, path);
  const sockets = socketsOf(path);
  let held = true;
  return {
    path,
    agentSocket: sockets.agent,
    proxySocket: sockets.proxy,
    proxyLog: join(path, 'proxy.log'),
    write(name, content) {
      const to = join(path, name);
      const temporary = `${to}.${process.pid}.tmp`;
      try {
        const fd = openSync(temporary, 'w', 0o600);
        try {
          writeSync(fd, content);
          fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
        renameSync(temporary, to);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw unusable(path, error);
      }
    },
    read(name) {
      const file = join(path, name);
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    },
    remove(name) {
      rmSync(join(path, name), { force: true });
    },
    release() {
      if (held) rmSync(lock, { force: true });
      held = false;
    },
  };
}

/** Unix socket paths end at 107 bytes (Linux) or 103 (macOS): a long directory gets a short name in the temporary one. */
function socketPath(directory: string, name: string): string {
  const plain = join(directory, `${name}.sock`);
  if (Buffer.byteLength(plain) <= 100) return plain;
  const short = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 16);
  return join(tmpdir(), `fairlead-${short}-${name}.sock`);
}

function takeLock(lock: string, path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const fd = openSync(lock, 'wx', 0o600);
      writeSync(fd, `${process.pid}\n`);
      closeSync(fd);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error);
      const holder = Number(readFileSync(lock, 'utf8').trim());
      if (isAlive(holder)) {
        throw new FairleadError('E_AGENT_RUNNING', `an agent is running already (process ${holder}, data directory ${path})`, {
          next: 'Stop it with `fairlead agent stop`, or give this one a directory of its own with --data DIR.',
        });
      }
      rmSync(lock, { force: true });
    }
  }
  throw unusable(path, new Error('the lock could not be taken'));
}

/** A lock that names ourselves is an earlier life's: process ids come again, in containers always the same. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function unusable(path: string, error: unknown): FairleadError {
  const why = error instanceof Error ? error.message : String(error);
  return new FairleadError('E_DATA_DIRECTORY', `the data directory ${path} cannot be used: ${why}`, {
    next: 'Free space or give another directory with --data DIR.',
    cause: error,
  });
}
