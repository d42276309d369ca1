/** An intermediate whose root is elsewhere: a request goes out, a certificate comes in. The root's key is never here. */
import { FairleadError } from '../../src/errors.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { generateKey, type KeyAlgorithm } from '../../src/pki/keys.ts';
import { isPermitted } from '../../src/pki/name-constraints.ts';
import { createRequest } from '../../src/pki/request.ts';
import { trustDomainProblem } from '../../src/pki/spiffe-id.ts';
import { verifyChain } from '../../src/pki/verify.ts';
import { audit } from './audit.ts';
import { readState, readStateIfThere, writeState } from './directory.ts';
import { keyName, loadKey, writeKey } from './keys.ts';
import { type AuthorityRecord, activeOf, type CaState } from './state.ts';
import { withLock } from './with-lock.ts';

export interface RequestOptions {
  trustDomain: string | undefined;
  algorithm: KeyAlgorithm | undefined;
  passphrase: string | undefined;
}

const DAY_MS = 86_400_000;

/**
 * The request for a new intermediate, PEM; asked again, the same key's. Makes the CA when there is none. Throws E_USAGE, E_CA_WAITING
 * while another rotation goes on, E_CA_KEY, E_CA_BUSY, E_CA_DIRECTORY.
 */
export async function requestIntermediate(directory: string, options: RequestOptions): Promise<{ id: string; request: string }> {
  const problem = options.trustDomain === undefined ? undefined : trustDomainProblem(options.trustDomain);
  if (problem) throw new FairleadError('E_USAGE', `--trust-domain ${JSON.stringify(options.trustDomain)}: ${problem}`);
  return withLock(directory, async () => {
    const state = readStateIfThere(directory) ?? newState(options);
    if (options.trustDomain !== undefined && options.trustDomain !== state.trustDomain)
      throw new FairleadError('E_USAGE', `this CA is for the trust domain ${state.trustDomain}, not ${options.trustDomain}`);
    const pending = state.authorities.find(({ stage }) => stage === 'requested');
    if (pending)
      return { id: pending.id, request: requestFor(state, loadKey(directory, pending.signerKey, options.passphrase), pending.id) };
    refuseDuringRotation(state);
    const key = await generateKey(options.algorithm ?? state.algorithm);
    const id = keyName(key);
    const signerKey = await writeKey(directory, `${id}-signer`, key, options.passphrase);
    const since = new Date().toISOString();
    const record: AuthorityRecord = {
      id,
      stage: 'requested',
      since,
      root: undefined,
      chain: [],
      rootKey: undefined,
      signerKey,
      sequence: 0,
    };
    audit(directory, { event: 'intermediate', time: since, authority: id, what: 'requested' });
    writeState(directory, { ...state, authorities: [...state.authorities, record] });
    return { id, request: requestFor(state, key, id) };
  });
}

const newState = ({ trustDomain = 'cluster.local', algorithm = 'ec-p256' }: RequestOptions): CaState => ({
  version: 1,
  trustDomain,
  algorithm,
  rootLifeMs: 3650 * DAY_MS,
  intermediateLifeMs: 365 * DAY_MS,
  sequence: 0,
  authorities: [],
});

function requestFor({ trustDomain }: CaState, key: Parameters<typeof createRequest>[0], id: string): string {
  const subject = { organization: trustDomain, commonName: `Intermediate CA ${id}` };
  return createRequest(key, [{ type: 'uri', value: `spiffe://${trustDomain}` }], subject);
}

/** Throws E_CA_WAITING when an authority is prepared, or an old one is not revoked yet. */
export function refuseDuringRotation({ authorities }: CaState): void {
  const other = authorities.find(({ stage }) => stage !== 'active');
  if (other === undefined) return;
  throw new FairleadError('E_CA_WAITING', `a rotation goes on already: the authority ${other.id} is ${other.stage}`, {
    next: 'Finish it first; `fairlead ca rotate status` says what it waits for.',
  });
}

/**
 * Takes the certificate that answers the request. The first one signs at once; a later one is prepared, and `ca rotate activate` lets it sign.
 * Throws E_CA_REFUSED for one that would not work, with everything that is wrong; E_CA_MISSING when nothing was requested.
 */
export async function installIntermediate(
  directory: string,
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<AuthorityRecord> {
  return withLock(directory, () => {
    const state = readState(directory);
    const pending = state.authorities.find(({ stage }) => stage === 'requested');
    if (pending === undefined)
      throw new FairleadError('E_CA_MISSING', 'no intermediate was requested', {
        next: 'Make a request with `fairlead ca intermediate --csr FILE`.',
      });
    const path = checkIntermediate(state, pending, chain, roots);
    const root = path.at(-1) as Certificate;
    const known = state.authorities.some((record) => record.root === root.pem);
    const sequence = known ? state.sequence : state.sequence + 1;
    const now = new Date().toISOString();
    const installed: AuthorityRecord = {
      ...pending,
      stage: activeOf(state) ? 'prepared' : 'active',
      since: now,
      root: root.pem,
      chain: path.slice(0, -1).map((certificate) => certificate.pem),
      sequence,
    };
    const authorities = state.authorities.map((record) => (record === pending ? installed : record));
    audit(directory, { event: 'intermediate', time: now, authority: pending.id, what: 'installed', root: root.fingerprint });
    writeState(directory, { ...state, sequence, authorities });
    return installed;
  });
}

/** The path from the signer to its root. */
function checkIntermediate(
  state: CaState,
  { id }: AuthorityRecord,
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] {
  const signer = chain.find((certificate) => keyNameOf(certificate) === id);
  const next = 'Have your root sign the request as an intermediate CA: basicConstraints CA:TRUE, keyUsage keyCertSign.';
  if (signer === undefined)
    throw new FairleadError('E_CA_REFUSED', `none of the certificates is for the key that was requested (${id})`, {
      next: 'Sign the request that `fairlead ca intermediate` made last.',
    });
  const others = chain.filter((certificate) => certificate !== signer);
  const { path, faults } = verifyChain(signer, others, roots, { at: new Date() });
  const why = faults.map((fault) => `${fault.certificate.subject}: ${fault.message}`);
  if (!signer.ca) why.push('it is no certificate authority (basicConstraints)');
  if (signer.keyUsage && !signer.keyUsage.includes('keyCertSign')) why.push('its key may not sign certificates (keyUsage)');
  const example = { type: 'uri', value: `spiffe://${state.trustDomain}/ns/default/sa/default` } as const;
  const constrained = path.find((certificate) => !isPermitted(example, certificate));
  if (constrained) why.push(`the name constraints of ${constrained.subject} do not allow identities of ${state.trustDomain}`);
  if (path.length < 2) why.push('it is its own root');
  if (why.length > 0) throw new FairleadError('E_CA_REFUSED', `the intermediate would not work: ${why.join('; ')}`, { next });
  return path;
}

function keyNameOf({ publicKey }: Certificate): string | undefined {
  try {
    return keyName(publicKey);
  } catch {
    return undefined;
  }
}
