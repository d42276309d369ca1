/** What happens when nobody reads standard output any more, as after `fairlead up mesh | head -1`. */
import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LOOK_MS = 200;

/** For errors of standard output: nothing to say, and a command that runs on comes to its orderly end. Throws all errors but EPIPE. */
export function readerGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
}

/**
 * Ends a command that runs on soon after its reader has left, and not only with the next line that it writes: that may come in hours.
 * Node cannot poll a pipe for it, but Linux tells who holds the other end (proc(5), /proc/PID/fd); where it does not, the next line
 * ends it. Returns the function that ends the watch.
 */
export function endWithReader(): () => void {
  if (process.platform !== 'linux' || !fstatSync(1).isFIFO()) return () => undefined;
  const pipe = readlinkSync('/proc/self/fd/1');
  // None from the beginning: it is somebody else's process, and may not be looked into.
  let readers = readersOf(pipe);
  if (readers.length === 0) return () => undefined;
  const timer = setInterval(() => {
    try {
      if (readers.some((fd) => holds(fd, pipe))) return;
      readers = readersOf(pipe);
      if (readers.length > 0) return;
      clearInterval(timer);
      readerGone(Object.assign(new Error('nobody reads standard output'), { code: 'EPIPE' }));
    } catch {
      // It has become somebody else's.
      clearInterval(timer);
    }
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** Every `/proc/PID/fd/N` that is the reading end of `pipe:[INODE]`, of the processes that may be looked into. */
function readersOf(pipe: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.flatMap((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`)
        .filter((fd) => holds(`/proc/${pid}/fd/${fd}`, pipe) && reads(pid, fd))
        .map((fd) => `/proc/${pid}/fd/${fd}`);
    } catch {
      return [];
    }
  });
}

/** Throws EACCES when the process may not be looked into. */
function holds(fd: string, pipe: string): boolean {
  try {
    return readlinkSync(fd) === pipe;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw error;
    return false;
  }
}

/** open(2): the last two bits of the flags are 0 for reading alone. */
function reads(pid: string, fd: string): boolean {
  const [, flags = '1'] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? [];
  return (Number.parseInt(flags, 8) & 3) === 0;
}
