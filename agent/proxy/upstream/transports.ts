import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { ProxyProtocolUpstreamTransportJson } from '#envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import type { UpstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import { compileOrigination, type TlsOrigination, UPSTREAM_TLS } from '../tls/originate.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import type { TlsStats } from '../tls/tls-stats.ts';
import { PROXY_PROTOCOL_TYPE } from './socket-options.ts';

/** What is between this proxy and a host: nothing, the PROXY protocol's header, TLS, or both in this order. */
export interface Transport {
  readonly proxyProtocol: 'V1' | 'V2' | undefined;
  readonly tls: TlsOrigination | undefined;
}

/** The transports of a cluster. */
export interface Transports {
  readonly all: readonly Transport[];
  /** By the endpoint's metadata `envoy.transport_socket_match`. */
  of(metadata: Readonly<Record<string, unknown>>): Transport;
}

const RAW_BUFFER = 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer';
const PLAIN: Transport = { proxyProtocol: undefined, tls: undefined };
/** Key of the metadata that transport_socket_matches look at. */
const MATCH_KEY = 'envoy.transport_socket_match';

/** Compiles transport_socket and transport_socket_matches. */
export function compileTransports(
  cluster: ClusterJson,
  problems: ProblemList,
  deps: { secrets: SecretStore; stats: TlsStats },
): Transports {
  const fallback = compileTransport(cluster.transportSocket, 'transportSocket', problems, deps);
  const matches = (cluster.transportSocketMatches ?? []).map((match, i) => ({
    wanted: Object.entries(match.match ?? {}),
    transport: compileTransport(match.transportSocket, `transportSocketMatches[${i}].transportSocket`, problems, deps),
  }));
  return {
    all: [fallback, ...matches.map(({ transport }) => transport)],
    of(metadata) {
      if (matches.length === 0) return fallback;
      const facts = (metadata[MATCH_KEY] ?? {}) as Readonly<Record<string, unknown>>;
      // Envoy: the first match whose every value is the endpoint's; an empty one is everybody's.
      const found = matches.find(({ wanted }) =>
        wanted.every(([key, value]) => Object.hasOwn(facts, key) && isDeepStrictEqual(facts[key], value)),
      );
      return found?.transport ?? fallback;
    },
  };
}

function compileTransport(
  json: TransportSocketJson | undefined,
  path: string,
  problems: ProblemList,
  deps: { secrets: SecretStore; stats: TlsStats },
): Transport {
  const config = json?.typedConfig as ({ '@type'?: string } & object) | undefined;
  switch (config?.['@type']) {
    case PROXY_PROTOCOL_TYPE: {
      const wrapper = config as ProxyProtocolUpstreamTransportJson;
      const inner = compileTransport(wrapper.transportSocket, `${path}.typedConfig.transportSocket`, problems, deps);
      if (inner.proxyProtocol !== undefined) problems.unsupported(`${path}.typedConfig.transportSocket`, 'one header is enough');
      return { proxyProtocol: wrapper.config?.version === 'V2' ? 'V2' : 'V1', tls: inner.tls };
    }
    case UPSTREAM_TLS:
      return { proxyProtocol: undefined, tls: compileOrigination(config as UpstreamTlsContextJson, `${path}.typedConfig`, problems, deps) };
    case RAW_BUFFER:
      return PLAIN;
    default:
      if (json !== undefined)
        problems.unsupported(path, `there is no ${json.name ?? 'such transport socket'}, but TLS, the PROXY protocol and plain text`);
      return PLAIN;
  }
}
