/** Who holds certificates that still count, and what each knows: what the stages of a rotation wait for. */
import { type IssuedEntry, readAudit } from './audit.ts';
import { caIdentity } from './ca-identity.ts';
import { readAgents } from './registry.ts';
import { readReservations } from './shared/reserve.ts';
import type { CaState } from './state.ts';

/** A certificate that is valid and was not replaced. */
export interface Holder {
  identity: string;
  serial: string;
  notAfter: string;
  /** Which signed it. */
  authority: string;
  /** The newest trust bundle that its holder is known to have: the one that came with it, or what its agent has reported. */
  sequence: number;
}

/** Stands for all that another pod of this CA may have issued. */
const ELSEWHERE = '(whatever another pod of the CA has issued)';

/**
 * From the audit log, which is complete, and the agents' reports, which can only make it newer. A certificate counts until it expires or
 * one that names it as its predecessor, for the same identity, is issued. Throws E_CA_DIRECTORY.
 */
export async function currentHolders(directory: string, { trustDomain }: CaState, now: Date): Promise<Holder[]> {
  const own = caIdentity(trustDomain);
  const held = new Map<string, IssuedEntry>();
  const terms = new Set<unknown>();
  for await (const entry of readAudit(directory)) {
    if (entry.event === 'term') terms.add(entry['term']);
    if (entry.event === 'discarded') held.delete(String(entry['serial']));
    // The CA's own certificate follows the state by itself.
    if (entry.event !== 'issued' || entry['identity'] === own) continue;
    const issued = entry as IssuedEntry;
    if (issued.replaces !== undefined && held.get(issued.replaces)?.identity === issued.identity) held.delete(issued.replaces);
    if (Date.parse(issued.notAfter) > now.getTime()) held.set(issued.serial, issued);
  }
  const reported = new Map<string, number>();
  for (const { identity, serials, sequence } of readAgents(directory))
    for (const serial of serials) {
      const key = `${serial} ${identity}`;
      reported.set(key, Math.max(sequence, reported.get(key) ?? 0));
    }
  // Whoever they are: their names are in the log of another pod, which may be gone.
  const unknown = readReservations(directory, now)
    .filter(({ term }) => !terms.has(term))
    .map(({ authority, sequence, until }) => ({ identity: ELSEWHERE, serial: '', notAfter: until, authority, sequence }));
  // Serial numbers are no secret: only who is the certificate's identity, or asked for it, speaks for it.
  const known = [...held.values()].map(({ identity, serial, notAfter, authority, sequence, caller }) => {
    const said = [identity, caller].map((name) => reported.get(`${serial} ${name}`) ?? 0);
    return { identity, serial, notAfter, authority, sequence: Math.max(sequence, ...said) };
  });
  return [...known, ...unknown];
}
