/** What a shift is about to do, on disk, so that the next one can go on after a crash. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { HTTPRouteDestination } from '../config/kinds/networking.ts';
import type { Share } from '../edit/routes/split.ts';

export interface JournalEntry {
  host: string;
  route: string;
  /** The split before the first step. */
  before: readonly Share[];
  /** The same as it stood in the file, to put back letter by letter. */
  destinations: readonly HTTPRouteDestination[];
  /** The subset that gets the traffic. */
  to: string;
  /** The share that is about to be written, or was, percent. */
  percent: number;
  /** The share before that one; undefined: this is the first step. */
  previous?: number;
  /** Whose shift it is. The identity tells it from a later process with the same id. */
  process: { pid: number; identity: string | undefined };
  /** Milliseconds since 1970. */
  startedAt: number;
}

export interface Journal {
  /** What an earlier shift of this route left; undefined for nothing, or when it cannot be read. */
  read(): JournalEntry | undefined;
  write(entry: JournalEntry): void;
  remove(): void;
}

/** The journal of one route: `$XDG_STATE_HOME/fairlead/shift/HASH.json`. @param where the file's whole path, or the cluster and the object */
export function journalOf(where: string, host: string, route: string, env: NodeJS.ProcessEnv = process.env): Journal {
  const folder = join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'fairlead', 'shift');
  const name = createHash('sha256')
    .update(JSON.stringify([where, host, route]))
    .digest('hex')
    .slice(0, 16);
  const path = join(folder, `${name}.json`);
  return {
    read() {
      try {
        const entry = JSON.parse(readFileSync(path, 'utf8')) as JournalEntry;
        return isWhole(entry) ? entry : undefined;
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

function isWhole(entry: JournalEntry): boolean {
  return (
    Array.isArray(entry.before) &&
    Array.isArray(entry.destinations) &&
    typeof entry.percent === 'number' &&
    typeof entry.process?.pid === 'number'
  );
}
