/**
 * Until when certificates of an authority may live, written into `issued.json` before they are signed. The audit log is one pod's; this is what
 * the others know of it, so that a rotation waits for certificates whose names only another pod has.
 */
import { randomUUID } from 'node:crypto';
import { FairleadError } from '../../../src/errors.ts';
import type { AuditLog } from '../audit.ts';
import { readTextIfThere, writeText } from '../directory.ts';
import { withLock } from '../with-lock.ts';

/** What one time of leading may have issued. */
export interface Reservation {
  /** The audit log of whoever has it names it in an entry `term`. */
  term: string;
  authority: string;
  /** The trust bundle that holders have at least. */
  sequence: number;
  /** ISO 8601. */
  until: string;
}

const FILE = 'issued.json';
/** More than is needed, so that a write goes for many certificates. */
const AHEAD_MS = 3_600_000;
const TRIES = 5;

/** Those that still count. Throws E_CA_DIRECTORY. */
export function readReservations(directory: string, now: Date): Reservation[] {
  const text = readTextIfThere(directory, FILE);
  if (text === undefined) return [];
  try {
    return (JSON.parse(text) as Reservation[]).filter(({ until }) => Date.parse(until) > now.getTime());
  } catch (error) {
    throw new FairleadError('E_CA_DIRECTORY', `${directory}/${FILE} is damaged: ${(error as Error).message}`, {
      next: 'Bring it back from a backup; without it a rotation cannot know what other pods have issued.',
    });
  }
}

/** Resolves when it is written that such certificates may live until `until` (milliseconds since 1970). Rejects when it cannot be: nothing may be signed then. */
export type Reserve = (authority: string, sequence: number, until: number) => Promise<void>;

/** Begins a term. Throws E_CA_DIRECTORY. */
export function beginTerm(directory: string, audit: AuditLog): Reserve {
  const term = randomUUID();
  audit.append({ event: 'term', time: new Date().toISOString(), term });
  audit.sync();
  const reserved = new Map<string, number>();
  let writing: Promise<void> | undefined;
  const keyOf = (authority: string, sequence: number): string => `${authority} ${sequence}`;

  async function write(authority: string, sequence: number, until: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await withLock(directory, () => {
          const others = readReservations(directory, new Date()).filter(
            (kept) => kept.term !== term || kept.authority !== authority || kept.sequence !== sequence,
          );
          const mine = { term, authority, sequence, until: new Date(until).toISOString() };
          writeText(directory, FILE, `${JSON.stringify([...others, mine])}\n`);
        });
        reserved.set(keyOf(authority, sequence), until);
        return;
      } catch (error) {
        if (!(error instanceof FairleadError) || error.code !== 'E_CA_BUSY' || tries === TRIES) throw error;
      }
    }
  }

  return async (authority, sequence, until) => {
    while ((reserved.get(keyOf(authority, sequence)) ?? 0) < until) {
      // Whoever comes meanwhile waits for this one, and is served by it most of the time.
      writing ??= write(authority, sequence, until + AHEAD_MS).finally(() => {
        writing = undefined;
      });
      await writing;
    }
  };
}
