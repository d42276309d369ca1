/** What `ca serve` signs with: always what is in the directory now. A changed state or policy counts from the next request on. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../src/pki/certificate.ts';
import { bundleToPem } from '../../src/pki/trust-bundle.ts';
import type { Log } from '../log.ts';
import type { AuditLog } from './audit.ts';
import { bundleOf, certificatesOf, openSigner } from './authorities.ts';
import { readState } from './directory.ts';
import type { Issuer } from './issue.ts';
import type { PolicyRule } from './policy.ts';
import { readPolicy } from './read-policy.ts';
import type { CaState } from './state.ts';

export interface Live extends Issuer {
  state: CaState;
  roots: readonly Certificate[];
  /** Of all authorities. */
  intermediates: readonly Certificate[];
  /** Grows with each change of the state or the policy. */
  generation: number;
}

/**
 * Two stats a call while nothing changed. What cannot be used is logged once, and the last good one goes on. Throws at first as its parts do.
 *
 * @param rules of whoever serves, besides those of the policy
 */
export function createLiveIssuer(
  directory: string,
  passphrase: string | undefined,
  audit: AuditLog,
  log: Log,
  rules: (trustDomain: string) => readonly PolicyRule[] = () => [],
): () => Live {
  let signature = '';
  let live: Live | undefined;

  return () => {
    const found = `${stamp(join(directory, 'state.json'))} ${stamp(join(directory, 'policy.yaml'))}`;
    if (live !== undefined && found === signature) return live;
    try {
      live = open((live?.generation ?? 0) + 1);
      if (signature !== '') log.info('the CA’s files have changed', { sequence: live.sequence, authority: live.signer.id });
    } catch (error) {
      if (live === undefined) throw error;
      log.error('the CA’s files have changed and cannot be used; the last good ones go on', { why: (error as Error).message });
    }
    signature = found;
    return live;
  };

  function open(generation: number): Live {
    const state = readState(directory);
    const bundle = bundleOf(state);
    const signer = openSigner(directory, state, passphrase);
    const written = readPolicy(directory);
    const policy = { ...written, rules: [...written.rules, ...rules(state.trustDomain)] };
    const intermediates = state.authorities.flatMap((record) => certificatesOf(record)?.chain ?? []);
    return {
      intermediates,
      signer,
      rootsPem: bundleToPem(bundle),
      sequence: state.sequence,
      policy,
      audit,
      state,
      roots: bundle.roots,
      generation,
    };
  }
}

function stamp(file: string): string {
  const info = statSync(file, { bigint: true, throwIfNoEntry: false });
  return info === undefined ? '-' : `${info.ino}.${info.mtimeNs}.${info.size}`;
}
