import { FairleadError } from '../../src/errors.ts';
import type { KeyAlgorithm } from '../../src/pki/keys.ts';
import { trustDomainProblem } from '../../src/pki/spiffe-id.ts';
import { audit } from './audit.ts';
import { createAuthority } from './create-authority.ts';
import { readStateIfThere, writeState } from './directory.ts';
import type { CaState } from './state.ts';
import { withLock } from './with-lock.ts';

export interface InitOptions {
  trustDomain: string;
  algorithm: KeyAlgorithm;
  rootLifeMs: number;
  intermediateLifeMs: number;
  /** Keys are encrypted with it. */
  passphrase: string | undefined;
}

/** Makes a CA: a self-signed root and an intermediate that signs. Throws E_CA_EXISTS, E_USAGE, E_CA_BUSY, E_CA_DIRECTORY. */
export async function initCa(directory: string, options: InitOptions): Promise<CaState> {
  checkInit(directory, options);
  return withLock(directory, async () => {
    refuseExisting(directory);
    const { passphrase, ...settings } = options;
    const now = new Date();
    const authority = await createAuthority(directory, settings, now, passphrase);
    const state: CaState = { version: 1, ...settings, sequence: 1, authorities: [{ ...authority, stage: 'active', sequence: 1 }] };
    audit(directory, { event: 'init', time: now.toISOString(), authority: authority.id, trustDomain: settings.trustDomain });
    writeState(directory, state);
    return state;
  });
}

/** Throws what `initCa` would, without changing anything. */
export function checkInit(directory: string, { trustDomain, rootLifeMs, intermediateLifeMs }: Omit<InitOptions, 'passphrase'>): void {
  const problem = trustDomainProblem(trustDomain);
  if (problem) throw new FairleadError('E_USAGE', `--trust-domain ${JSON.stringify(trustDomain)}: ${problem}`);
  if (intermediateLifeMs > rootLifeMs)
    throw new FairleadError('E_USAGE', 'the intermediate would outlive its root', { next: 'Make --intermediate-life the shorter one.' });
  refuseExisting(directory);
}

function refuseExisting(directory: string): void {
  if (readStateIfThere(directory) === undefined) return;
  throw new FairleadError('E_CA_EXISTS', `there is a certificate authority in ${directory} already; it is never overwritten`, {
    next: 'Replace its root with `fairlead ca rotate`, or name another directory with --ca-dir DIR.',
  });
}
