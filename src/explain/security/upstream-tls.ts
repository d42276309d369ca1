import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { UpstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import { WORKLOAD_CERTIFICATE } from '../../envoy/tls/sds.ts';
import { typeOf } from '../listener.ts';
import { namesAsked } from './client.ts';

/** How connections to one endpoint are secured. */
export interface UpstreamTransport {
  readonly kind: 'plain' | 'TLS' | 'mutual TLS';
  /** The name among transport_socket_matches; empty for the cluster's only one. */
  readonly match: string;
  readonly sni: string;
  readonly alpn: readonly string[];
  /** Whose certificate is shown: the workload's own, one that the configuration names, none. */
  readonly shows: 'workload' | 'other' | 'nothing';
  /** The names of which the server has to prove one; empty for any. */
  readonly names: readonly StringMatcherJson[];
}

const PLAIN: UpstreamTransport = { kind: 'plain', match: '', sni: '', alpn: [], shows: 'nothing', names: [] };
/** Key of the metadata that transport_socket_matches look at. */
const MATCH_KEY = 'envoy.transport_socket_match';

/** Envoy: the first match whose every value is the endpoint's; an empty one is everybody's. */
export function transportOf(cluster: ClusterJson, metadata: Readonly<Record<string, unknown>>): UpstreamTransport {
  const facts = (metadata[MATCH_KEY] ?? {}) as Readonly<Record<string, unknown>>;
  const found = (cluster.transportSocketMatches ?? []).find(({ match = {} }) =>
    Object.entries(match).every(([key, value]) => Object.hasOwn(facts, key) && isDeepStrictEqual(facts[key], value)),
  );
  const socket = found === undefined ? cluster.transportSocket : found.transportSocket;
  return { ...ofSocket(socket), match: found?.name ?? '' };
}

function ofSocket(socket: TransportSocketJson | undefined): UpstreamTransport {
  if (socket === undefined) return PLAIN;
  const type = typeOf(socket.typedConfig);
  if (type.endsWith('.ProxyProtocolUpstreamTransport'))
    return ofSocket((socket.typedConfig as { transportSocket?: TransportSocketJson }).transportSocket);
  if (!type.endsWith('.UpstreamTlsContext')) return PLAIN;
  const { sni = '', commonTlsContext: common = {} } = socket.typedConfig as UpstreamTlsContextJson;
  const secrets = (common.tlsCertificateSdsSecretConfigs ?? []).map(({ name }) => name);
  const shows = secrets.includes(WORKLOAD_CERTIFICATE)
    ? 'workload'
    : secrets.length + (common.tlsCertificates ?? []).length > 0
      ? 'other'
      : 'nothing';
  return {
    kind: shows === 'nothing' ? 'TLS' : 'mutual TLS',
    match: '',
    sni,
    alpn: common.alpnProtocols ?? [],
    shows,
    names: namesAsked(common) ?? [],
  };
}
