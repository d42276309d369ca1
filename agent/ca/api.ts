/**
 * What the CA answers, whatever carries it:
 *
 *   GET  /v1/bundle                     the trust bundle as SPIFFE's JWKS; public
 *   POST /v1/sign {csr, identity?, dnsNames?, ttlSeconds?, replaces?}
 *   POST /v1/report {sequence, serials, name?}   what an agent has; answers with what it should have
 *   istio.v1.auth.IstioCertificateService/CreateCertificate over gRPC
 */
import { FairleadError } from '../../src/errors.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { readRequest } from '../../src/pki/request.ts';
import { bundleToJwks } from '../../src/pki/trust-bundle.ts';
import { bundleOf } from './authorities.ts';
import { Denied } from './denied.ts';
import type { Caller, IssuedCertificate } from './issue.ts';
import { issueReserved, type Signing } from './issue-reserved.ts';
import type { Live } from './live-issuer.ts';
import type { Registry } from './registry.ts';
import { useToken } from './tokens.ts';

/** A caller, with the token that is used up when it gets its certificate. */
export interface ApiCaller extends Caller {
  token?: string;
}

export interface SignWish {
  csr: string;
  identity?: string | undefined;
  dnsNames?: readonly string[] | undefined;
  ttlSeconds?: number | undefined;
  replaces?: string | undefined;
}

export interface CaApi {
  bundle(): object;
  /** Rejects with Denied. */
  sign(caller: ApiCaller, wish: SignWish): Promise<IssuedCertificate>;
  /** Throws Denied. */
  report(caller: ApiCaller, body: Record<string, unknown>): { sequence: number; renew: string[]; roots?: string };
}

/** @param directory where join tokens are kept */
export function createCaApi(directory: string, signing: Signing, registry: Registry): CaApi {
  const { live, limits } = signing;
  const limit = (caller: ApiCaller, policy: Live['policy']): void => {
    if (caller.by === 'local' || limits.take(caller.name, policy.rateLimit, performance.now())) return;
    throw new Denied('limited', `${caller.name} asks for more than ${policy.rateLimit.perMinute} certificates a minute`);
  };
  return {
    bundle: () => bundleToJwks(bundleOf(live().state)),
    async sign(caller, wish) {
      const before = live();
      limit(caller, before.policy);
      const wanted = wishOf(caller, wish);
      const request = unlessUnreadable(() => readRequest(wish.csr));
      if (caller.token !== undefined) {
        if (wanted.identity !== caller.name) throw new Denied('forbidden', `the join token is for ${caller.name} alone`);
        if (!(await useToken(directory, caller.token, new Date()))) throw new Denied('unauthenticated', 'the join token was used already');
      }
      try {
        return await issueReserved(signing, caller, { ...wanted, request });
      } catch (error) {
        if (error instanceof FairleadError && error.code === 'E_CA_REFUSED') throw new Denied('forbidden', error.message);
        throw error;
      }
    },
    report(caller, { sequence, serials, name = '' }) {
      if (caller.by !== 'certificate') throw new Denied('unauthenticated', 'a report needs a client certificate');
      const texts = Array.isArray(serials) && serials.length <= 10_000 && serials.every((serial) => typeof serial === 'string');
      if (!Number.isSafeInteger(sequence) || !texts || typeof name !== 'string' || name.length > 256)
        throw new Denied('invalid', 'a report is {sequence: number, serials: [text], name?: text}');
      const { state, rootsPem } = live();
      registry.report({ identity: caller.name, name, sequence: sequence as number, serials, seen: new Date().toISOString() });
      const renew = state.authorities.filter(({ stage }) => stage === 'tainted').map(({ id }) => id);
      return { sequence: state.sequence, renew, ...(sequence === state.sequence ? {} : { roots: rootsPem }) };
    },
  };
}

function wishOf(caller: ApiCaller, wish: SignWish) {
  const { identity = caller.by === 'local' ? undefined : caller.name, dnsNames = [], ttlSeconds, replaces } = wish;
  if (identity === undefined) throw new Denied('invalid', 'say which identity the certificate is for');
  // Whoever renews its own certificate by it replaces it.
  const own = caller.by === 'certificate' && identity === caller.name ? caller.serial : undefined;
  return { identity, dnsNames, lifeMs: ttlSeconds === undefined ? undefined : ttlSeconds * 1000, replaces: replaces ?? own };
}

function unlessUnreadable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkiError) throw new Denied('invalid', error.message);
    throw error;
  }
}

/** A JSON body as a wish. Throws Denied `invalid`. */
export function signWishOf(body: Record<string, unknown>): SignWish {
  const { csr, identity, dnsNames, ttlSeconds, replaces } = body;
  const unknown = Object.keys(body).find((field) => !['csr', 'identity', 'dnsNames', 'ttlSeconds', 'replaces'].includes(field));
  if (unknown !== undefined) throw new Denied('invalid', `there is no field ${JSON.stringify(unknown)}`);
  if (typeof csr !== 'string') throw new Denied('invalid', 'csr must be a certificate request in PEM');
  if (identity !== undefined && typeof identity !== 'string') throw new Denied('invalid', 'identity must be a SPIFFE ID');
  if (replaces !== undefined && (typeof replaces !== 'string' || !/^[0-9a-f]{1,64}$/.test(replaces)))
    throw new Denied('invalid', 'replaces must be a serial number in lower-case hex');
  if (dnsNames !== undefined && !(Array.isArray(dnsNames) && dnsNames.length <= 100 && dnsNames.every((name) => typeof name === 'string')))
    throw new Denied('invalid', 'dnsNames must be a list of host names');
  if (ttlSeconds !== undefined && !(typeof ttlSeconds === 'number' && ttlSeconds >= 1 && ttlSeconds <= 1e9))
    throw new Denied('invalid', 'ttlSeconds must be a number of seconds');
  return { csr, identity, dnsNames: dnsNames as string[] | undefined, ttlSeconds: ttlSeconds as number | undefined, replaces };
}
