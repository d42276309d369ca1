import { type IssuedEntry, readAudit } from './audit.ts';
import { readState } from './directory.ts';

/** `current`: valid and the last one of its holder; `replaced`: valid, and its holder has a newer one; `discarded`: nobody was given it. */
export type IssuedState = 'current' | 'replaced' | 'expired' | 'discarded';

export type IssuedView = Omit<IssuedEntry, 'event'> & { state: IssuedState };

/** All certificates that were ever issued, in the order of their issue. Throws E_CA_MISSING, E_CA_DIRECTORY. */
export async function issuedCertificates(directory: string, now: Date): Promise<IssuedView[]> {
  readState(directory);
  const entries: IssuedEntry[] = [];
  const replaced = new Set<string>();
  const discarded = new Set<unknown>();
  for await (const entry of readAudit(directory)) {
    if (entry.event === 'discarded') discarded.add(entry['serial']);
    if (entry.event !== 'issued') continue;
    entries.push(entry as IssuedEntry);
    if (typeof entry.replaces === 'string') replaced.add(entry.replaces);
  }
  return entries.map(({ event: _, ...entry }) => {
    const expired = Date.parse(entry.notAfter) <= now.getTime();
    const state = discarded.has(entry.serial) ? 'discarded' : expired ? 'expired' : replaced.has(entry.serial) ? 'replaced' : 'current';
    return { ...entry, state };
  });
}
