import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { AuthorizationConnection } from '../authorization/types.ts';
import { compileClientCertificateHeader } from '../routing/client-certificate-header.ts';
import { applyForwarded, compileForwarded } from '../routing/forwarded.ts';
import { removeHopByHop } from '../routing/hop-by-hop.ts';
import { JOINED_REQUEST_HEADERS, joinRepeated } from '../routing/joined-headers.ts';
import { normalizeRequestPath } from '../routing/path.ts';
import { ProblemList } from '../routing/problems.ts';
import { RouteRequest } from '../routing/request.ts';
import { applyRequestId } from '../routing/request-id.ts';
import { toWire } from '../routing/wire-text.ts';
import { certificateOf } from './security/client.ts';
import type { ClientIdentity, HeaderLine } from './types.ts';

/** What the connection manager makes of a request before it is routed: a request to route, or an answer. */
export type Admission =
  | { readonly kind: 'admitted'; readonly request: RouteRequest; readonly edge: boolean; readonly clientAddress: string }
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly details: string;
      readonly why: string;
      readonly flags: string;
      readonly location?: string;
    };

/** A request as it comes off the wire. */
export interface Incoming {
  readonly method: string;
  /** Empty for CONNECT. */
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly HeaderLine[];
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  readonly tls: boolean;
  /** As the request itself says it: of a whole URL, of `:scheme`. */
  readonly scheme: string | undefined;
  readonly remoteAddress: string;
  readonly localPort: number;
  readonly connection: AuthorizationConnection;
  /** What this side shows in TLS. */
  readonly local?: ClientIdentity;
  /** In place of chance; see `ExplainRequest`. */
  readonly random?: number | undefined;
}

/** Stands for a value that only a running proxy makes up. */
export const NEW_REQUEST_ID = '{a new UUID}';

/** Lines as routing takes them: flat, lower-case names, one character a byte. */
export function flatHeaders(lines: readonly HeaderLine[]): string[] {
  return lines.flatMap(([name, value]) => [name.toLowerCase(), toWire(value)]);
}

const answered = (status: number, details: string, why: string, more: { flags?: string; location?: string } = {}): Admission => ({
  kind: 'answered',
  status,
  details,
  why,
  flags: more.flags ?? '-',
  ...(more.location !== undefined && { location: more.location }),
});

/** Envoy: ConnectionManagerImpl::ActiveStream::decodeHeaders, up to the route; the order is that of the embedded proxy's admit-request. */
export function admit(hcm: HttpConnectionManagerJson, incoming: Incoming, internalOnly: readonly string[]): Admission {
  const headers = flatHeaders(incoming.headers);
  let authority = toWire(incoming.authority);
  let path = toWire(incoming.path);
  const connect = incoming.method === 'CONNECT';
  if (authority === '') return answered(400, 'missing_host_header', 'it names no host (RFC 9112 3.2)');
  const most = hcm.commonHttpProtocolOptions?.maxHeadersCount ?? 100;
  if (headers.length > 2 * most) return answered(431, 'http1.too_many_headers', `it has more than ${most} header lines`, { flags: 'DPE' });
  joinRepeated(headers, JOINED_REQUEST_HEADERS);
  const underscores = hcm.commonHttpProtocolOptions?.headersWithUnderscoresAction ?? 'ALLOW';
  if (underscores !== 'ALLOW') {
    for (let i = headers.length - 2; i >= 0; i -= 2) {
      if (!headers[i]!.includes('_')) continue;
      if (underscores === 'REJECT_REQUEST')
        return answered(400, 'unexpected_underscore', `the name of header ${headers[i]} has an underscore`);
      headers.splice(i, 2);
    }
  }
  if (path === '') {
    if (!connect) return answered(404, 'missing_path_rejected', 'it has no path');
  } else if (!path.startsWith('/')) {
    return answered(404, 'absolute_path_rejected', `its path ${JSON.stringify(path)} does not begin with a slash`);
  } else {
    const escaped = hcm.pathWithEscapedSlashesAction;
    const outcome = normalizeRequestPath(path, {
      normalizePath: hcm.normalizePath === true,
      mergeSlashes: hcm.mergeSlashes === true,
      escapedSlashes: escaped === undefined || escaped === 'IMPLEMENTATION_SPECIFIC_DEFAULT' ? 'KEEP_UNCHANGED' : escaped,
      // As Istio's bootstrap says (http_reject_path_with_fragment).
      rejectFragment: false,
    });
    if (outcome.action === 'reject') return answered(400, outcome.details, `its path ${JSON.stringify(path)} cannot be normalized`);
    if (outcome.action === 'redirect')
      return answered(307, 'path_normalization_failed', 'its path has escaped slashes', { location: outcome.path });
    path = outcome.path;
  }
  authority = strippedHost(hcm, authority, incoming.localPort);
  if (!removeHopByHop(headers))
    return answered(400, 'connection_header_sanitization_failed', 'its Connection header names a field that must not be removed');
  const certificates = { peer: incoming.connection.peer, local: incoming.local && certificateOf(incoming.local) };
  compileClientCertificateHeader(hcm, '', new ProblemList())(headers, incoming.tls ? certificates : undefined);
  const options = compileForwarded({ ...hcm, originalIpDetectionExtensions: [] }, '', new ProblemList());
  const connection = {
    remoteAddress: incoming.remoteAddress,
    localPort: incoming.localPort,
    tls: incoming.tls,
    nodeAddress: incoming.remoteAddress,
  };
  const forwarded = applyForwarded(headers, connection, options, internalOnly);
  const id = {
    generate: hcm.generateRequestId !== false,
    preserveExternal: hcm.preserveExternalRequestId === true,
    packTraceReason: true,
    useForSampling: false,
    sampling: undefined,
  };
  applyRequestId(headers, forwarded.edge, id, () => NEW_REQUEST_ID);
  const request = new RouteRequest({
    method: incoming.method,
    scheme: incoming.scheme ?? forwarded.scheme,
    forwardedProto: forwarded.forwardedProto,
    authority,
    path,
    headers,
    remoteAddress: forwarded.clientAddress,
    internal: forwarded.internal,
  });
  return { kind: 'admitted', request, edge: forwarded.edge, clientAddress: forwarded.clientAddress };
}

/** strip_any_host_port, strip_matching_host_port, strip_trailing_host_dot. */
function strippedHost(hcm: HttpConnectionManagerJson, authority: string, localPort: number): string {
  const found = /^(.*?)(\.?)(:\d+)?$/.exec(authority);
  if (found === null || authority.endsWith(']')) return authority;
  const [, host = '', dot = '', port = ''] = found;
  const cut = hcm.stripAnyHostPort === true || (hcm.stripMatchingHostPort === true && port === `:${localPort}`);
  return host + (hcm.stripTrailingHostDot === true ? '' : dot) + (cut ? '' : port);
}
