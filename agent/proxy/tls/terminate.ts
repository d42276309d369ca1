import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket, TLSSocketOptions } from 'node:tls';
import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { DownstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { jsonDuration } from '../../../src/routing/json-duration.ts';
import type { ProblemList } from '../../../src/routing/problems.ts';
import type { ConnectionInfo } from '../listener/connection.ts';
import { tls } from './certificate-material.ts';
import { type CommonTls, compileCommonTls, type TlsState } from './common-context.ts';
import { describeCertificate } from './describe-certificate.ts';
import type { DownstreamTls } from './downstream-tls.ts';
import { reasonOf, refusedCertificate, refusedChain, tlsError } from './failure-reason.ts';
import type { SecretStore } from './secret-store.ts';
import type { TlsStats } from './tls-stats.ts';
import { unsupportedIn } from './unsupported.ts';

const RAW_BUFFER = 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer';
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';

/** Envoy's words for clients that show none. */
const NO_CERTIFICATE = 'PEER_DID_NOT_RETURN_A_CERTIFICATE:peer did not provide required client certificate';

/** What the client asks for. */
export type ClientHello = Pick<ConnectionInfo, 'sni' | 'applicationProtocols'>;

type Done = (socket: Socket, tls: DownstreamTls) => void;
type Failed = (reason: string) => void;

/** How a filter chain ends its clients' TLS. */
export interface TlsTermination {
  readonly common: CommonTls;
  /**
   * Shakes hands on an accepted socket; what was read of it and put back goes in first. `done` gets the plain side; `failed` why
   * there is none, in Envoy's words, and the socket is closed.
   */
  accept(socket: Socket, hello: ClientHello, done: Done, failed: Failed): void;
}

/** Compiles a filter chain's transport socket; undefined for plain text. */
export function compileTermination(
  json: TransportSocketJson | undefined,
  path: string,
  problems: ProblemList,
  deps: { secrets: SecretStore; stats: TlsStats },
): TlsTermination | undefined {
  const config = json?.typedConfig as (DownstreamTlsContextJson & { '@type'?: string }) | undefined;
  if (json === undefined || config?.['@type'] === RAW_BUFFER) return undefined;
  if (config?.['@type'] !== TLS) {
    problems.unsupported(path, `there is no ${json.name ?? 'such'} for connections of clients, but TLS and plain text`);
    return undefined;
  }
  const at = `${path}.typedConfig`;
  for (const { field, why } of unsupportedIn('DownstreamTlsContext', config)) problems.unsupported(`${at}.${field}`, why);
  if (config.ocspStaplePolicy !== undefined && config.ocspStaplePolicy !== 'LENIENT_STAPLING')
    problems.unsupported(`${at}.ocspStaplePolicy`, 'no OCSP responses are shown');
  const common = config.commonTlsContext ?? {};
  if ((common.tlsCertificates ?? []).length + (common.tlsCertificateSdsSecretConfigs ?? []).length === 0)
    problems.invalid(`${at}.commonTlsContext`, 'No TLS certificates found for server context');
  const sessionTimeout = jsonDuration(config.sessionTimeout, `${at}.sessionTimeout`, problems);
  const noTickets = config.disableStatelessSessionResumption === true ? constants.SSL_OP_NO_TICKET : 0;
  const compiled = compileCommonTls(common, 'server', `${at}.commonTlsContext`, problems, deps.secrets, {
    honorCipherOrder: true,
    ...(sessionTimeout !== undefined && { sessionTimeout: Math.round(sessionTimeout / 1000) }),
    ...(noTickets !== 0 && { secureOptions: noTickets }),
  });
  const requires = config.requireClientCertificate === true;
  if (requires && !compiled.asksForPeer)
    problems.unsupported(`${at}.requireClientCertificate`, 'without a validation context any certificate would do');
  const requireSni = config.requireSni === true;
  return { common: compiled, accept };

  function accept(socket: Socket, hello: ClientHello, done: Done, failed: Failed): void {
    const state = compiled.state();
    const chosen = typeof state === 'string' || (requires && !state.validates) ? undefined : state.context(hello.sni);
    if (typeof state === 'string' || chosen === undefined) {
      socket.destroy();
      failed('TLS error: Secret is not supplied by SDS');
      return;
    }
    if (requireSni && hello.sni === '') {
      deps.stats.count('connection_error');
      socket.destroy();
      failed('TLS_error: no server name');
      return;
    }
    shake(socket, hello, state, chosen, done, failed);
  }

  function shake(
    socket: Socket,
    hello: ClientHello,
    state: TlsState,
    { secure, certificates }: NonNullable<ReturnType<TlsState['context']>>,
    done: Done,
    failed: Failed,
  ): void {
    // The server's order decides; without anything in common the connection goes on without ALPN, as in Envoy.
    const protocol = compiled.alpn.find((one) => hello.applicationProtocols.includes(one));
    const options: TLSSocketOptions = {
      isServer: true,
      secureContext: secure,
      requestCert: state.validates,
      // Envoy: a certificate is required too where one is asked for its names.
      rejectUnauthorized: requires || state.asksForNames,
      ...(protocol !== undefined && { ALPNProtocols: [protocol] }),
    };
    const secured = new (tls().TLSSocket)(socket, options);
    let over = false;
    const refuse = (reason: string): void => {
      if (over) return;
      over = true;
      secured.destroy();
      socket.destroy();
      failed(reason);
    };
    secured.on('error', (error) => {
      if (over) return;
      const reason = reasonOf(error);
      if (reason === 'PEER_DID_NOT_RETURN_A_CERTIFICATE') deps.stats.count('fail_verify_no_cert');
      else if (reason !== undefined) deps.stats.count('connection_error');
      if (reason === 'PEER_DID_NOT_RETURN_A_CERTIFICATE') refuse(tlsError(NO_CERTIFICATE));
      else refuse(reason === undefined ? '' : tlsError(reason));
    });
    secured.once('close', () => refuse(''));
    // Whoever leaves in the middle of a handshake only ends its side.
    const onEnd = (): void => refuse('');
    secured.once('end', onEnd);
    secured.once('secure', () => {
      secured.off('end', onEnd);
      if (over) return;
      const peer = secured.getPeerX509Certificate();
      const refusal = admit(secured, state, peer);
      if (refusal !== undefined) {
        refuse(refusal);
        return;
      }
      over = true;
      deps.stats.handshake(secured);
      secured.disableRenegotiation();
      // As tls.Server does: node:http2 waits for the handshake otherwise.
      (secured as TLSSocket & { secureConnecting: boolean }).secureConnecting = false;
      // Errors of the records after the handshake: node:tls tells servers of its own of them, and lets the socket live.
      secured.on('_tlsError', () => secured.destroy());
      done(secured, describe(secured, certificates, peer));
    });
  }

  /** Undefined: the client may go on. */
  function admit(secured: TLSSocket, state: TlsState, peer: X509Certificate | undefined): string | undefined {
    if (!state.validates) return undefined;
    if (peer === undefined) {
      const required = requires || state.asksForNames;
      deps.stats.count(required ? 'fail_verify_no_cert' : 'no_certificate');
      return required ? tlsError(NO_CERTIFICATE) : undefined;
    }
    const broken = state.trusted === undefined ? undefined : chainError(secured);
    if (broken !== undefined) {
      deps.stats.count('fail_verify_error');
      return refusedChain(broken);
    }
    const refusal = state.check(describeCertificate(peer));
    if (refusal === undefined) return undefined;
    deps.stats.count(refusal.stat);
    return refusedCertificate(refusal.reason);
  }
}

/** OpenSSL's word on the chain of a peer; undefined when it leads to a trusted CA. */
function chainError(socket: TLSSocket): string | undefined {
  const { _handle: handle } = socket as TLSSocket & { _handle?: { verifyError(): { code?: string } | null } };
  // Not there, not proven.
  if (handle?.verifyError === undefined) return 'UNSPECIFIED';
  const error = handle.verifyError();
  return error === null || error === undefined ? undefined : (error.code ?? 'UNSPECIFIED');
}

function describe(socket: TLSSocket, certificates: TlsState['certificates'], peer: X509Certificate | undefined): DownstreamTls {
  const [only] = certificates;
  const own = certificates.length > 1 ? socket.getX509Certificate() : only?.chain[0];
  const { servername } = socket as TLSSocket & { servername?: string | false };
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    sni: typeof servername === 'string' ? servername.toLowerCase() : '',
    protocol: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    peer: peer && describeCertificate(peer),
    local: own && describeCertificate(own),
  };
}
