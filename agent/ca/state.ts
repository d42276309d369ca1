/** What a CA knows about itself, as `state.json` holds it. It is replaced as a whole: every change is one commit. */
import type { KeyAlgorithm } from '../../src/pki/keys.ts';

/**
 * Stages of a signing authority. `requested`: its certificate is not there yet (a root that stays offline signs it). `prepared`: trusted, and
 * does not sign yet. `active`: signs. `superseded`: does not sign any more, its certificates are good. `tainted`: whoever has a
 * certificate of it renews at once. Revoked ones are not in the state.
 */
export const STAGES = ['requested', 'prepared', 'active', 'superseded', 'tainted'] as const;
export type Stage = (typeof STAGES)[number];

export interface AuthorityRecord {
  /** The first 12 hex digits of the signing key's identifier. */
  id: string;
  stage: Stage;
  /** When it came to that stage; ISO 8601. */
  since: string;
  /** PEM; undefined while it is requested. */
  root: string | undefined;
  /** From the signer up, PEM, without the root; empty when the root signs by itself. */
  chain: readonly string[];
  /** Files in `keys/`. A root that stays offline has none here. */
  rootKey: string | undefined;
  signerKey: string;
  /** The sequence of the first trust bundle that has its root. */
  sequence: number;
}

export interface CaState {
  version: 1;
  trustDomain: string;
  algorithm: KeyAlgorithm;
  /** How long new ones live, in milliseconds. */
  rootLifeMs: number;
  intermediateLifeMs: number;
  /** Of the trust bundle: grows with each change of it. */
  sequence: number;
  authorities: readonly AuthorityRecord[];
}

/** Why a parsed state is none; undefined when it is one. Certificates are read by who uses them. */
export function stateProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not a JSON object';
  if (value['version'] !== 1) return `its version is ${JSON.stringify(value['version'])}; this program knows 1`;
  for (const field of ['trustDomain', 'algorithm']) if (typeof value[field] !== 'string') return `${field} is missing`;
  for (const field of ['rootLifeMs', 'intermediateLifeMs', 'sequence']) if (typeof value[field] !== 'number') return `${field} is missing`;
  const { authorities } = value;
  if (!Array.isArray(authorities)) return 'authorities are missing';
  for (const [i, record] of authorities.entries()) {
    const sound =
      isObject(record) &&
      typeof record['id'] === 'string' &&
      STAGES.includes(record['stage'] as Stage) &&
      typeof record['since'] === 'string' &&
      typeof record['sequence'] === 'number' &&
      isKeyName(record['signerKey']) &&
      (record['rootKey'] === undefined || isKeyName(record['rootKey'])) &&
      Array.isArray(record['chain']) &&
      record['chain'].every((pem) => typeof pem === 'string') &&
      (typeof record['root'] === 'string' || (record['root'] === undefined && record['stage'] === 'requested'));
    if (!sound) return `authorities[${i}] is incomplete`;
  }
  const active = authorities.filter((record: AuthorityRecord) => record.stage === 'active').length;
  return active > 1 ? `${active} authorities are active; one may be` : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isKeyName = (name: unknown): name is string => typeof name === 'string' && /^[a-z0-9-]+\.pem$/.test(name);

export const activeOf = (state: CaState): AuthorityRecord | undefined => state.authorities.find(({ stage }) => stage === 'active');
