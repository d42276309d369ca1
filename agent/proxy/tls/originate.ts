import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { UpstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import { jsonNumber } from '../../../src/upstream/json-number.ts';
import { tls } from './certificate-material.ts';
import { type CommonTls, compileCommonTls, type KeptSession, type TlsState } from './common-context.ts';
import { describeCertificate } from './describe-certificate.ts';
import { RESET_BY_PEER, reasonOf, refusedCertificate, refusedChain, tlsError } from './failure-reason.ts';
import type { SecretStore } from './secret-store.ts';
import type { TlsStats } from './tls-stats.ts';
import { unsupportedIn } from './unsupported.ts';

export const UPSTREAM_TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

/** What one connection asks for beside the configuration. */
export interface TlsRequest {
  /** Instead of the configured server name (auto_sni). */
  readonly sni?: string | undefined;
  /** The server must have one of these DNS names (auto_san_validation). */
  readonly names?: readonly string[] | undefined;
  /** Offered when the configuration offers nothing by ALPN. */
  readonly alpn?: string | undefined;
}

/** TLS towards the hosts of a cluster. */
export interface TlsOrigination {
  readonly common: CommonTls;
  /** Shakes hands on a connected socket. Destroying that socket makes it silent. `failed` gets the reason in Envoy's words. */
  secure(socket: Socket, request: TlsRequest, on: { connected(socket: TLSSocket): void; failed(reason: string): void }): void;
}

/** Sessions kept for resumption: so many server names, each with max_session_keys of them. */
const MAX_SESSION_NAMES = 256;

/** Compiles an UpstreamTlsContext; `path` leads to it. */
export function compileOrigination(
  json: UpstreamTlsContextJson,
  path: string,
  problems: ProblemList,
  deps: { secrets: SecretStore; stats: TlsStats },
): TlsOrigination {
  for (const { field, why } of unsupportedIn('UpstreamTlsContext', json)) problems.unsupported(`${path}.${field}`, why);
  if ((json.sni ?? '').length > 255) problems.invalid(`${path}.sni`, 'must be at most 255 bytes');
  const common = compileCommonTls(json.commonTlsContext ?? {}, 'client', `${path}.commonTlsContext`, problems, deps.secrets);
  const maxSessions = jsonNumber(json.maxSessionKeys, 1);
  const { stats } = deps;
  return {
    common,
    secure(socket, request, on) {
      const state = common.state();
      const chosen = typeof state === 'string' ? undefined : state.context('');
      if (typeof state === 'string' || chosen === undefined) {
        socket.destroy();
        on.failed('TLS error: Secret is not supplied by SDS');
        return;
      }
      const sni = request.sni ?? json.sni ?? '';
      const protocols = common.alpn.length > 0 ? common.alpn : request.alpn === undefined ? [] : [request.alpn];
      const session = state.sessions.get(sni)?.pop();
      const options: ConnectionOptions = {
        socket,
        secureContext: chosen.secure,
        // Chains and names are looked at below: what is asked of them is Envoy's, not that of HTTPS.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...(sni !== '' && { servername: sni }),
        ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
        ...(session !== undefined && { session: session.ticket }),
      };
      const secured = tls().connect(options);
      let over = false;
      const fail = (reason: string): void => {
        if (over) return;
        over = true;
        secured.on('error', () => undefined).destroy();
        socket.destroy();
        on.failed(reason);
      };
      const onError = (error: Error): void => {
        const reason = reasonOf(error);
        if (reason !== undefined) stats.count('connection_error');
        // node:tls says ECONNRESET too of a peer that just ends; no call to the system failed then.
        const { code, syscall } = error as NodeJS.ErrnoException;
        if (reason !== undefined) fail(tlsError(reason));
        else fail(code === 'ECONNRESET' && syscall !== undefined ? RESET_BY_PEER : '');
      };
      secured.on('error', onError);
      let shown: X509Certificate | undefined;
      // Asked once: node:tls takes the certificate out of the chain that it tells.
      const peerOf = (): X509Certificate | undefined => {
        shown ??= secured.isSessionReused() ? session?.peer : secured.getPeerX509Certificate();
        return shown;
      };
      if (maxSessions > 0)
        secured.on('session', (ticket: Buffer) => {
          const peer = peerOf();
          if (peer !== undefined) keep(state, sni, { ticket, peer }, maxSessions);
        });
      secured.once('secureConnect', () => {
        if (over) return;
        const refusal = admit(secured, peerOf(), state, request.names);
        if (refusal !== undefined) {
          fail(refusal);
          return;
        }
        over = true;
        secured.off('error', onError);
        secured.disableRenegotiation();
        stats.handshake(secured);
        on.connected(secured);
      });
    },
  };

  /** Undefined: this is a server to talk to. */
  function admit(
    secured: TLSSocket,
    peer: X509Certificate | undefined,
    state: TlsState,
    names: readonly string[] | undefined,
  ): string | undefined {
    if (peer === undefined) {
      stats.count('fail_verify_no_cert');
      return tlsError('PEER_DID_NOT_RETURN_A_CERTIFICATE');
    }
    if (!state.validates && names === undefined) return undefined;
    if (state.trusted !== undefined && !secured.authorized) {
      stats.count('fail_verify_error');
      return refusedChain(String(secured.authorizationError));
    }
    const refusal = state.check(describeCertificate(peer), names);
    if (refusal === undefined) return undefined;
    stats.count(refusal.stat);
    return refusedCertificate(refusal.reason);
  }
}

/** The newest sessions of a server name; each is used once (RFC 8446 C.4). */
function keep(state: TlsState, sni: string, session: KeptSession, most: number): void {
  const kept = state.sessions.get(sni) ?? [];
  kept.push(session);
  if (kept.length > most) kept.shift();
  if (!state.sessions.has(sni) && state.sessions.size >= MAX_SESSION_NAMES) state.sessions.delete(state.sessions.keys().next().value!);
  state.sessions.set(sni, kept);
}
