/** Join tokens: one-time, expiring, each for one identity. Only their hashes are kept, in `tokens.json`. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { audit } from './audit.ts';
import { readState, readTextIfThere, writeText } from './directory.ts';
import { fullIdentity } from './local-issue.ts';
import { withLock } from './with-lock.ts';

interface KeptToken {
  /** SHA-256, hex. */
  hash: string;
  identity: string;
  expires: string;
}

const FILE = 'tokens.json';
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

function readTokens(directory: string): KeptToken[] {
  try {
    return JSON.parse(readTextIfThere(directory, FILE) ?? '[]') as KeptToken[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FairleadError('E_CA_DIRECTORY', `${join(directory, FILE)} is damaged: ${error.message}`, {
      next: 'Remove it: tokens that were not used yet have to be made again.',
    });
  }
}

const writeTokens = (directory: string, tokens: readonly KeptToken[], now: Date): void => {
  const kept = tokens.filter((token) => Date.parse(token.expires) > now.getTime());
  writeText(directory, FILE, `${JSON.stringify(kept, null, 1)}\n`);
};

export interface JoinToken {
  token: string;
  identity: string;
  expires: string;
}

/** A new token of 256 random bits. Throws E_CA_MISSING, E_USAGE for a bad identity, E_CA_BUSY, E_CA_DIRECTORY. */
export async function createToken(directory: string, typedIdentity: string, lifeMs: number): Promise<JoinToken> {
  const identity = fullIdentity(readState(directory).trustDomain, typedIdentity);
  return withLock(directory, () => {
    const now = new Date();
    const token = randomBytes(32).toString('base64url');
    const expires = new Date(now.getTime() + lifeMs).toISOString();
    audit(directory, { event: 'token', time: now.toISOString(), identity, expires });
    writeTokens(directory, [...readTokens(directory), { hash: hashOf(token), identity, expires }], now);
    return { token, identity, expires };
  });
}

/** The identity that a token is for, while it is good; using it up is apart. */
export function identityOfToken(directory: string, token: string, now: Date): string | undefined {
  const hash = hashOf(token);
  return readTokens(directory).find((kept) => kept.hash === hash && Date.parse(kept.expires) > now.getTime())?.identity;
}

/** Uses a token up, durably; false when somebody else was first. */
export async function useToken(directory: string, token: string, now: Date): Promise<boolean> {
  return withLock(directory, () => {
    if (identityOfToken(directory, token, now) === undefined) return false;
    const hash = hashOf(token);
    writeTokens(
      directory,
      readTokens(directory).filter((kept) => kept.hash !== hash),
      now,
    );
    return true;
  });
}
