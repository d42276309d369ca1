/** Filters that ask somebody outside: CUSTOM policies. */
import type { FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ExtAuthzJson } from '#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import type { ExtAuthzJson as NetworkExtAuthzJson } from '#envoy-api/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ListStringMatcherJson, StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { ExtAuthzProvider } from '../../mesh/security/ext-authz-providers.ts';
import { typed } from '../any.ts';
import { envoyDuration } from '../duration.ts';
import { customPrefix } from './policy-name.ts';
import { statusCode } from './status-code.ts';
import { stringMatcher } from './value-matchers.ts';

/** Before the metadata and statistics of the shadow rules that say whether a request is asked about. */
export const EXT_AUTHZ_PREFIX = 'istio_ext_authz_';
const DEFAULT_TIMEOUT = '600s';

/** Where a provider is: a cluster of the proxy. */
export interface ProviderTarget {
  cluster: string;
  host: string;
}

/** Asks only about requests that a rule of the provider's policies matched, as the RBAC filter in front found out. */
function asked(rbac: string, provider: string): NonNullable<ExtAuthzJson['filterEnabledMetadata']> {
  return {
    filter: rbac,
    path: [{ key: `${EXT_AUTHZ_PREFIX}shadow_effective_policy_id` }],
    value: { stringMatch: { prefix: customPrefix(provider) } },
  };
}

function timeoutOf(text: string | undefined): string {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms ? envoyDuration(ms) : DEFAULT_TIMEOUT;
}

const anyOf = (patterns: readonly StringMatcherJson[]): ListStringMatcherJson => ({ patterns: [...patterns] });

/** Header names, with `*` at either end; case does not count. */
function headerNames(names: readonly string[] | undefined): ListStringMatcherJson | undefined {
  return names?.length ? anyOf(names.map((name) => stringMatcher(name, true))) : undefined;
}

function common({ settings }: ExtAuthzProvider): ExtAuthzJson {
  const { failOpen, statusOnError, clearRouteCache, includeRequestBodyInCheck: body } = settings;
  const code = statusOnError ? statusCode(statusOnError) : undefined;
  return {
    transportApiVersion: 'V3',
    ...(failOpen && { failureModeAllow: true }),
    ...(code && { statusOnError: { code } }),
    ...(clearRouteCache && { clearRouteCache: true }),
    ...(body && {
      withRequestBody: {
        maxRequestBytes: body.maxRequestBytes ?? 0,
        ...(body.allowPartialMessage && { allowPartialMessage: true }),
        ...(body.packAsBytes && { packAsBytes: true }),
      },
    }),
  };
}

function httpService(provider: ExtAuthzProvider & { kind: 'http' }, { cluster, host }: ProviderTarget): ExtAuthzJson {
  const { settings } = provider;
  const allowedHeaders = headerNames([...(settings.includeRequestHeadersInCheck ?? []), ...(settings.includeHeadersInCheck ?? [])]);
  const added = Object.entries(settings.includeAdditionalHeadersInCheck ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const upstream = headerNames(settings.headersToUpstreamOnAllow);
  const denied = headerNames(settings.headersToDownstreamOnDeny);
  const allowed = headerNames(settings.headersToDownstreamOnAllow);
  const response = {
    ...(upstream && { allowedUpstreamHeaders: upstream }),
    ...(denied && { allowedClientHeaders: denied }),
    ...(allowed && { allowedClientHeadersOnSuccess: allowed }),
  };
  return {
    httpService: {
      serverUri: { uri: `http://${host}`, cluster, timeout: timeoutOf(settings.timeout) },
      ...(settings.pathPrefix && { pathPrefix: settings.pathPrefix }),
      ...(added.length > 0 && { authorizationRequest: { headersToAdd: added.map(([key, value]) => ({ key, value })) } }),
      ...(Object.keys(response).length > 0 && { authorizationResponse: response }),
    },
    ...(allowedHeaders && { allowedHeaders }),
  };
}

function grpcService({ settings }: ExtAuthzProvider, { cluster, host }: ProviderTarget): NonNullable<ExtAuthzJson['grpcService']> {
  return { envoyGrpc: { clusterName: cluster, authority: host }, timeout: timeoutOf(settings.timeout) };
}

/** The HTTP filter that asks `provider`. */
export function httpExtAuthz(provider: ExtAuthzProvider, target: ProviderTarget, rbac: string): HttpFilterJson {
  return {
    name: 'envoy.filters.http.ext_authz',
    typedConfig: typed<ExtAuthzJson>('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      ...common(provider),
      ...(provider.kind === 'http' ? httpService(provider, target) : { grpcService: grpcService(provider, target) }),
      filterEnabledMetadata: asked(rbac, provider.name),
    }),
  };
}

/** The network filter that asks a gRPC provider about a connection. */
export function networkExtAuthz(provider: ExtAuthzProvider, target: ProviderTarget, rbac: string): FilterJson {
  return {
    name: 'envoy.filters.network.ext_authz',
    typedConfig: typed<NetworkExtAuthzJson>('envoy.extensions.filters.network.ext_authz.v3.ExtAuthz', {
      statPrefix: 'tcp.',
      grpcService: grpcService(provider, target),
      ...(provider.settings.failOpen && { failureModeAllow: true }),
      transportApiVersion: 'V3',
      filterEnabledMetadata: asked(rbac, provider.name),
    }),
  };
}
