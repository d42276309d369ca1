/** Who is at the other end: by client certificate, join token or JSON Web Token. */
import type { TLSSocket } from 'node:tls';
import { readCertificate } from '../../src/pki/certificate.ts';
import { formatSpiffeId } from '../../src/pki/spiffe-id.ts';
import { identityOf } from '../../src/pki/svid.ts';
import { verifyChain } from '../../src/pki/verify.ts';
import type { ApiCaller } from './api.ts';
import type { CaCluster } from './cluster.ts';
import { Denied } from './denied.ts';
import { createJwtCallers } from './jwt-callers.ts';
import type { Live } from './live-issuer.ts';
import { identityOfToken } from './tokens.ts';

export interface Callers {
  /** @param socket undefined: the Unix socket, which its mode guards. Rejects with Denied `unauthenticated`. */
  callerOf(socket: TLSSocket | undefined, authorization: string | undefined): Promise<ApiCaller>;
}

/** A connection's certificate is verified once for each state of the CA, and its time at each request. */
interface Verified {
  generation: number;
  notAfter: number;
  caller: ApiCaller;
}

/** @param cluster who knows tokens of issuers that the policy does not name */
export function createCallers(directory: string, live: () => Live, cluster?: Pick<CaCluster, 'identityOf'>): Callers {
  const jwt = createJwtCallers(directory);
  const verified = new WeakMap<TLSSocket, Verified>();
  return {
    async callerOf(socket, authorization) {
      const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization ?? '') ?? [];
      if (scheme.toLowerCase() === 'join') {
        const identity = identityOfToken(directory, value, new Date());
        if (identity === undefined) throw new Denied('unauthenticated', 'the join token is unknown, used or expired');
        return { name: identity, by: 'token', token: value };
      }
      if (socket === undefined) return { name: 'local', by: 'local' };
      const known = verified.get(socket);
      const { generation } = live();
      if (known?.generation === generation && known.notAfter > Date.now()) return known.caller;
      const fromCertificate = byCertificate(socket, live());
      if (fromCertificate) {
        verified.set(socket, fromCertificate);
        return fromCertificate.caller;
      }
      if (scheme.toLowerCase() === 'bearer') {
        const { policy, state } = live();
        const known = cluster === undefined || (await jwt.isKnown(value, policy.jwt));
        const name = known
          ? await jwt.identityOf(value, policy.jwt, state.trustDomain)
          : await cluster.identityOf(value, state.trustDomain);
        return { name, by: 'jwt' };
      }
      throw new Denied(
        'unauthenticated',
        'show a client certificate, a join token (Authorization: Join …) or a JSON Web Token (Authorization: Bearer …)',
      );
    },
  };
}

/** Node does not always give a server what came with the leaf: our own intermediates are known anyway. undefined when it shows none. Throws Denied for one that is not good. */
function byCertificate(socket: TLSSocket, { roots, intermediates, state, generation }: Live): Verified | undefined {
  const chain: Buffer[] = [];
  const seen = new Set<string>();
  for (let peer = socket.getPeerCertificate(true); peer?.raw && !seen.has(peer.fingerprint256); peer = peer.issuerCertificate) {
    seen.add(peer.fingerprint256);
    chain.push(peer.raw);
  }
  if (chain.length === 0) return undefined;
  const [leaf, ...others] = chain.map(readCertificate);
  const { faults } = verifyChain(leaf!, [...others, ...intermediates], roots, { at: new Date(), purpose: 'svid' });
  if (faults.length > 0) throw new Denied('unauthenticated', `the client certificate is not good: ${faults[0]!.message}`);
  const id = identityOf(leaf!);
  if (id?.trustDomain !== state.trustDomain) throw new Denied('unauthenticated', 'the client certificate is of another trust domain');
  return { generation, notAfter: leaf!.notAfter.getTime(), caller: { name: formatSpiffeId(id), by: 'certificate', serial: leaf!.serial } };
}
