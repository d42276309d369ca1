/** What a shift was about to do, on disk, so that the next one can go on after a crash. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Share } from '../edit/routes/split.ts';

export interface JournalEntry {
  host: string;
  route: string;
  /** The split before the first step. */
  before: readonly Share[];
  /** Whether the destinations had weights at all: a single one needs none. */
  weighted: boolean;
  to: string;
  /** The last share that was set, percent. */
  percent: number;
  pid: number;
  /** Milliseconds since 1970. */
  startedAt: number;
}

export interface Journal {
  /** What an earlier shift of this route left; undefined for nothing, or when it cannot be read. */
  read(): JournalEntry | undefined;
  write(entry: JournalEntry): void;
  remove(): void;
}

/** The journal of one route of one file: `$XDG_STATE_HOME/fairlead/shift/HASH.json`. */
export function journalOf(file: string, host: string, route: string, env: NodeJS.ProcessEnv = process.env): Journal {
  const folder = join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'fairlead', 'shift');
  const name = createHash('sha256')
    .update(JSON.stringify([resolve(file), host, route]))
    .digest('hex')
    .slice(0, 16);
  const path = join(folder, `${name}.json`);
  return {
    read() {
      try {
        const entry = JSON.parse(readFileSync(path, 'utf8')) as JournalEntry;
        return Array.isArray(entry.before) && typeof entry.percent === 'number' ? entry : undefined;
      } catch {
        return undefined;
      }
    },
    write(entry) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const temporary = `${path}.${randomBytes(4).toString('hex')}`;
      writeFileSync(temporary, JSON.stringify(entry), { mode: 0o600, flush: true });
      renameSync(temporary, path);
    },
    remove: () => rmSync(path, { force: true }),
  };
}

/** Whether a process of that id lives; one of another user does too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
