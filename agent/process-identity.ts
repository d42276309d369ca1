/** Tells a process from a later one that was given the same id, as happens after a restart of the machine or in containers. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** When the process was started, in a form that only compares; undefined when there is no such process. */
export function processIdentity(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return linuxIdentity(pid);
  if (!exists(pid)) return undefined;
  if (process.platform === 'win32') return 'alive';
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return stdout?.trim() || 'alive';
}

/** Ticks since boot (proc(5), field 22), and which boot. A zombie is gone: it holds no port and no file. */
function linuxIdentity(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
