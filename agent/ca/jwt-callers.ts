/** Callers that show a JSON Web Token, as Kubernetes' service accounts do. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { parseSpiffeId, workloadIdentity } from '../../src/pki/spiffe-id.ts';
import { Denied } from './denied.ts';
import type { JwtIssuer } from './policy.ts';

/** None is symmetric: a public key must not be a secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const SKEW_SECONDS = 60;

export interface JwtCallers {
  /** The SPIFFE ID that a token stands for. Throws Denied `unauthenticated`, whose message never repeats the token. */
  identityOf(token: string, issuers: readonly JwtIssuer[], trustDomain: string): Promise<string>;
  /** Whether a token says that it is of one of these issuers. */
  isKnown(token: string, issuers: readonly JwtIssuer[]): Promise<boolean>;
}

/** @param directory relative files of keys are in it */
export function createJwtCallers(directory: string): JwtCallers {
  const keys = new Map<string, { stamp: string; get: JWTVerifyGetKey }>();

  /** A file is read again when it has changed; a URL as jose does, cached and on unknown key ids. */
  async function keysOf(where: string): Promise<JWTVerifyGetKey> {
    const { createLocalJWKSet, createRemoteJWKSet } = await import('jose');
    const path = isAbsolute(where) ? where : join(directory, where);
    const remote = /^https:/i.test(where);
    const stamp = remote ? 'remote' : String(statSync(path, { bigint: true }).mtimeNs);
    const known = keys.get(where);
    if (known?.stamp === stamp) return known.get;
    const get = remote
      ? createRemoteJWKSet(new URL(where), { timeoutDuration: 5000 })
      : createLocalJWKSet(JSON.parse(readFileSync(path, 'utf8')) as JSONWebKeySet);
    keys.set(where, { stamp, get });
    return get;
  }

  return {
    async isKnown(token, issuers) {
      const { decodeJwt } = await import('jose');
      try {
        const { iss } = decodeJwt(token);
        return issuers.some(({ issuer }) => issuer === iss);
      } catch {
        return false;
      }
    },
    async identityOf(token, issuers, trustDomain) {
      const { decodeJwt, jwtVerify } = await import('jose');
      const fail = (why: string): Denied => new Denied('unauthenticated', `the token is not accepted: ${why}`);
      let named: string | undefined;
      try {
        named = decodeJwt(token).iss;
      } catch {
        throw fail('it is no JSON Web Token');
      }
      const issuer = issuers.find((known) => known.issuer === named);
      if (issuer === undefined) throw fail('the policy does not know its issuer');
      let subject: string;
      try {
        const { payload } = await jwtVerify(token, await keysOf(issuer.jwks), {
          issuer: issuer.issuer,
          audience: [...issuer.audiences],
          algorithms: ALGORITHMS,
          clockTolerance: SKEW_SECONDS,
          requiredClaims: ['sub', 'exp', 'aud'],
        });
        subject = payload.sub as string;
      } catch (error) {
        throw fail((error as Error).message);
      }
      const identity = issuer.identity === 'spiffe' ? subject : kubernetesIdentity(subject, trustDomain);
      const parsed = identity === undefined ? undefined : parseSpiffeId(identity);
      if (!parsed?.ok || parsed.id.path === '' || parsed.id.trustDomain !== trustDomain)
        throw fail(`its subject ${JSON.stringify(subject)} is no identity of ${trustDomain}`);
      return identity as string;
    },
  };
}

/** The identity of a service account by its user name, `system:serviceaccount:NAMESPACE:NAME`; undefined for other users. */
export function kubernetesIdentity(subject: string, trustDomain: string): string | undefined {
  const [, namespace, account] = /^system:serviceaccount:([^:/]+):([^:/]+)$/.exec(subject) ?? [];
  return namespace && account ? workloadIdentity(trustDomain, namespace, account) : undefined;
}
