import { isIP } from 'node:net';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { UpstreamHttpProtocolOptionsJson } from '#envoy-api/envoy/config/core/v3/protocol_pb.js';
import type { HttpProtocolOptionsJson } from '#envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { HTTP_OPTIONS_KEY } from '../../../src/upstream/http-options.ts';
import type { UpstreamRequest } from '../types.ts';
import type { TlsNames } from './pool/pool-owner.ts';

/** What a request's authority asks of the TLS below it; undefined when it asks for nothing. */
export type AutoNames = (request: UpstreamRequest) => TlsNames | undefined;

/** auto_sni and auto_san_validation; undefined when neither is on. Envoy: Router::Filter::decodeHeaders. */
export function autoNames(cluster: ClusterJson): AutoNames | undefined {
  const options = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS_KEY] as HttpProtocolOptionsJson | undefined;
  const json: UpstreamHttpProtocolOptionsJson = options?.upstreamHttpProtocolOptions ?? cluster.upstreamHttpProtocolOptions ?? {};
  const { autoSni = false, autoSanValidation = false } = json;
  if (!autoSni && !autoSanValidation) return undefined;
  const header = json.overrideAutoSniHeader?.toLowerCase() ?? '';
  return ({ headers }) => {
    const value = (header === '' ? undefined : lineOf(headers, header)) ?? lineOf(headers, 'host') ?? '';
    const name = withoutPort(value);
    if (name === '') return undefined;
    // RFC 6066 3: addresses are no server names.
    const sni = autoSni && isIP(name) === 0 ? name : undefined;
    return { ...(sni !== undefined && { sni }), ...(autoSanValidation && { names: [name] }) };
  };
}

const lineOf = (headers: readonly string[], name: string): string | undefined => {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
};

function withoutPort(authority: string): string {
  if (authority.startsWith('[')) return authority.slice(1, authority.indexOf(']'));
  return authority.replace(/:\d*$/, '');
}
