/** What a compiled RouteConfiguration is made of. All of it is immutable and made once per configuration. */
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { RouteActionJson, RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { Condition } from './condition.ts';
import type { CompiledHashPolicy } from './hash-policy.ts';
import type { HeaderMutations } from './header-mutation.ts';
import type { CompiledMirror } from './mirror.ts';
import type { PathCondition } from './path-matcher.ts';
import type { CompiledRedirect } from './redirect.ts';
import type { CompiledRetryPolicy } from './retry-policy.ts';
import type { HostRewrite, PathRewrite } from './rewrite.ts';
import type { CompiledTimeouts } from './timeouts.ts';
import type { WeightedChoice } from './weighted.ts';

/** A share of requests: `numerator` of `denominator`. */
export interface Fraction {
  numerator: number;
  denominator: 100 | 10_000 | 1_000_000;
}

/** A filter's configuration at one level. */
export interface FilterConfig {
  /** As configured, FilterConfig wrapper removed; undefined when it only disables. The object's identity is stable: cache by it. */
  config: AnyJson | undefined;
  /** FilterConfig.disabled, when a FilterConfig says so. */
  disabled: boolean | undefined;
}

export interface CompiledRouteConfiguration {
  readonly name: string;
  readonly virtualHosts: readonly CompiledVirtualHost[];
  readonly domains: DomainIndex;
  readonly ignorePort: boolean;
  readonly mostSpecificWins: boolean;
  /** Request headers that only internal requests may carry; the connection manager removes them from external ones. */
  readonly internalOnlyHeaders: readonly string[];
  readonly notFound: NotFoundDecision;
}

/** Which virtual host a host name belongs to. Keys are lower case. */
export interface DomainIndex {
  readonly exact: ReadonlyMap<string, CompiledVirtualHost>;
  /** `*.example.com` as `.example.com`, grouped by length, longest first. */
  readonly suffixes: readonly { length: number; hosts: ReadonlyMap<string, CompiledVirtualHost> }[];
  /** `example.*` as `example.`, grouped by length, longest first. */
  readonly prefixes: readonly { length: number; hosts: ReadonlyMap<string, CompiledVirtualHost> }[];
  readonly any: CompiledVirtualHost | undefined;
  /** Virtual hosts that took the place of indexed ones, with the same domains. */
  readonly replaced?: ReadonlyMap<CompiledVirtualHost, CompiledVirtualHost>;
}

export interface CompiledVirtualHost {
  readonly name: string;
  /** `virtualHosts[0]`. */
  readonly field: string;
  readonly domains: readonly string[];
  readonly requireTls: 'NONE' | 'EXTERNAL_ONLY' | 'ALL';
  readonly routes: readonly CompiledRoute[];
  /** x-envoy-attempt-count to the upstream, and in the response. */
  readonly includeRequestAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly includeIsTimeoutRetryHeader: boolean;
  readonly tlsRedirect: RedirectDecision;
  readonly notFound: NotFoundDecision;
}

export interface CompiledRoute {
  readonly name: string;
  /** `virtualHosts[0].routes[2]`. */
  readonly field: string;
  readonly json: RouteJson;
  readonly path: PathCondition;
  readonly fraction: Fraction | undefined;
  /** All conditions but path and fraction, cheap ones first. */
  readonly conditions: readonly Condition[];
  /** The decision, when it needs no choice. */
  readonly decision: Decision;
  /** Weighted clusters: chooses among `choices`. */
  readonly weighted: WeightedChoice | undefined;
}

interface DecisionBase {
  readonly virtualHost: CompiledVirtualHost | undefined;
  readonly route: CompiledRoute | undefined;
  /** In the order in which they are applied. */
  readonly requestMutations: readonly HeaderMutations[];
  readonly responseMutations: readonly HeaderMutations[];
  /** typed_per_filter_config, most specific level first. */
  readonly filterLevels: readonly ReadonlyMap<string, FilterConfig>[];
}

/** Forward to a cluster. */
export interface RouteDecision extends DecisionBase {
  readonly kind: 'route';
  readonly virtualHost: CompiledVirtualHost;
  readonly route: CompiledRoute;
  readonly action: CompiledRouteAction;
  /** Undefined: see clusterHeader, and clusterName(). */
  readonly cluster: string | undefined;
  readonly clusterHeader: string | undefined;
  /** The chosen weighted cluster's own host rewrite. */
  readonly hostRewriteLiteral: string | undefined;
  /** `metadata_match.filter_metadata["envoy.lb"]`, the weighted cluster's merged over the route's. */
  readonly metadataMatch: Readonly<Record<string, unknown>> | undefined;
}

export interface RedirectDecision extends DecisionBase {
  readonly kind: 'redirect';
  readonly virtualHost: CompiledVirtualHost;
  readonly status: number;
  readonly redirect: CompiledRedirect | 'tls';
}

export interface DirectResponseDecision extends DecisionBase {
  readonly kind: 'direct-response';
  readonly virtualHost: CompiledVirtualHost;
  readonly route: CompiledRoute;
  readonly status: number;
  readonly body: Buffer;
}

/** No virtual host or no route: 404, flag NR, details route_not_found. */
export interface NotFoundDecision extends DecisionBase {
  readonly kind: 'not-found';
  readonly status: 404;
}

export type Decision = RouteDecision | RedirectDecision | DirectResponseDecision | NotFoundDecision;

export interface CompiledRouteAction {
  readonly json: RouteActionJson;
  /** 503, or what cluster_not_found_response_code says. */
  readonly clusterNotFoundStatus: number;
  readonly pathRewrite: PathRewrite | undefined;
  readonly hostRewrite: HostRewrite | undefined;
  /** Host becomes the upstream host's name, once it is chosen: see applyAutoHostRewrite. */
  readonly autoHostRewrite: boolean;
  readonly appendForwardedHost: boolean;
  readonly priority: 'DEFAULT' | 'HIGH';
  readonly timeouts: CompiledTimeouts;
  readonly retry: CompiledRetryPolicy | undefined;
  readonly mirrors: readonly CompiledMirror[];
  readonly hashPolicies: readonly CompiledHashPolicy[];
  /** Upgrade type in lower case, and whether the route allows it. */
  readonly upgrades: ReadonlyMap<string, boolean>;
  /** CONNECT ends here and its payload goes upstream as TCP (connect_config), POST too with allow_post. */
  readonly connect: { readonly allowPost: boolean } | undefined;
  /** Bytes a request may keep for retries and mirrors; undefined: the listener's limit. */
  readonly bufferLimit: number | undefined;
}
