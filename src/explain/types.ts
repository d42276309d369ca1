/** What is asked and what is answered. All of it is plain data: `docs/explain.md` describes its JSON. */

import type { ClientIdentity, DecidingPolicy, Origin, SecurityFacts } from './basic-types.ts';

export type { ClientIdentity, DecidingPolicy, Origin, SecurityFacts };

/** A header as it stands on the wire: name (lower case) and value. */
export type HeaderLine = readonly [name: string, value: string];

/** How the request's connection reaches the proxy. */
export type Entry =
  /** The explicit HTTP proxy of a sidecar: the client was told `HTTP_PROXY`. */
  | { readonly kind: 'http-proxy' }
  /** A listener by its name in Envoy's config. */
  | { readonly kind: 'listener'; readonly name: string }
  /** A port that the proxy listens on: a gateway's, or a bound one of a Sidecar. */
  | { readonly kind: 'port'; readonly port: number; readonly address?: string }
  /** Redirected on its way out; where it was meant to go. Without an address: wherever the host's name leads. */
  | { readonly kind: 'captured'; readonly port: number; readonly address?: string }
  /** Redirected on its way in, to this port of the workload. */
  | { readonly kind: 'inbound'; readonly port: number };

/** One HTTP request. */
export interface ExplainRequest extends SecurityFacts {
  readonly method: string;
  /** `http://reviews:9080/api?x=1`, as the client has it; the path is taken as it stands. */
  readonly url: string;
  /** A `host` line takes the place of the URL's authority. */
  readonly headers?: readonly HeaderLine[];
  readonly protocol?: 'HTTP/1.1' | 'HTTP/2';
  /** Undefined: what fits the proxy and the URL. */
  readonly entry?: Entry;
  /** The client's address; 127.0.0.1 unless given. */
  readonly sourceIp?: string;
  /** TLS server name; for https the URL's host unless given. */
  readonly sni?: string;
  /** What the client offers in TLS; h2 and http/1.1 unless given. */
  readonly alpn?: readonly string[];
  /** The payload of a token whose signature and times are taken as good; without `iss` it is of the first issuer that is asked for. */
  readonly jwtClaims?: Readonly<Record<string, unknown>>;
  /** Decides among weights and shares of routes in place of chance: Envoy's random value, a whole number from 0 on. */
  readonly random?: number;
  /** When it is, for tokens that expire: seconds since 1970; now unless given. */
  readonly now?: number;
}

/** One TCP (or TLS) connection. */
export interface ExplainConnection extends SecurityFacts {
  /** Where the client connects to: a name or an address. */
  readonly host: string;
  readonly port: number;
  readonly entry?: Entry;
  readonly sourceIp?: string;
  /** There is TLS when it is given. */
  readonly sni?: string;
  readonly alpn?: readonly string[];
}

export type StepKind =
  | 'listener'
  | 'filterChain'
  | 'request'
  | 'tls'
  | 'virtualHost'
  | 'route'
  | 'filter'
  | 'action'
  | 'split'
  | 'cluster'
  | 'endpoints'
  | 'limits'
  | 'upstream'
  | 'tcpProxy';

/** One decision on the way. */
export interface Step {
  readonly kind: StepKind;
  /** The proxy that decided, when it is not the one that was asked: the one in front of the destination. */
  readonly proxy?: string;
  /** Envoy's name of what decided: a listener, a route, a cluster, … */
  readonly resource: string;
  /** One sentence, without a final full stop. */
  readonly decision: string;
  /** `stops`: the request goes no further; `unknown`: explain cannot tell. */
  readonly effect: 'passes' | 'changes' | 'stops' | 'unknown';
  readonly origin?: Origin;
  /** Names of outcomes (their `id`) that this step belongs to; absent: all. */
  readonly outcome?: string;
  /** AuthorizationPolicies that decided, or together did not allow it. */
  readonly policies?: readonly DecidingPolicy[];
  /** More about it, by name. */
  readonly details: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** What nearly decided instead: the first condition that did not hold. */
export interface NearMiss {
  readonly kind: 'listener' | 'filterChain' | 'virtualHost' | 'route' | 'policy';
  readonly resource: string;
  /** `route #2 of reviews.yaml:14 asks that header end-user is "jason"; the request has "Jason"`. */
  readonly message: string;
  /** The field in Envoy's config: `virtualHosts[0].routes[1].match.headers[0]`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** How near it was: conditions that held before the one that failed. */
  readonly held: number;
  /** True when the request would have gone elsewhere but for this one condition. */
  readonly decisive: boolean;
  readonly origin?: Origin;
}

export type OutcomeType =
  | 'forward'
  | 'passthrough'
  | 'redirect'
  | 'direct-response'
  | 'denied'
  | 'aborted'
  | 'rejected'
  | 'no-listener'
  | 'no-filter-chain'
  | 'no-route'
  | 'no-cluster'
  | 'no-endpoints'
  | 'blackhole'
  | 'closed'
  | 'unknown';

/** What the upstream gets. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** In order; values that only a running proxy knows are in braces: `{a new UUID}`. */
  readonly headers: readonly HeaderLine[];
  /** `+name`, `-name` or `~name` against what the client sent, host and path rewrites apart. */
  readonly changes: readonly string[];
}

export interface Timeouts {
  /** Milliseconds; 0: none. From the end of the request to the end of the response. */
  readonly total: number;
  readonly perTry: number;
  readonly perTryIdle: number;
  /** Of the stream. */
  readonly idle: number;
  readonly maxStream: number;
}

export interface Retries {
  /** How many more attempts at most. */
  readonly attempts: number;
  /** Words of retry_on. */
  readonly on: readonly string[];
  readonly statusCodes: readonly number[];
  readonly perTryTimeout: number;
  /** Milliseconds. */
  readonly backOff: { readonly base: number; readonly max: number };
  readonly avoidsTriedHosts: boolean;
}

/** Of one cluster; numbers are limits for the proxy asked. Absent: Envoy's default, which is given. */
export interface Limits {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  readonly retryBudget?: { readonly percent: number; readonly minimum: number };
  readonly connectTimeout: number;
  readonly maxRequestsPerConnection: number;
}

export interface OutlierRules {
  /** 0: errors of this sort eject nobody. */
  readonly consecutive5xx: number;
  readonly consecutiveGatewayFailures: number;
  readonly consecutiveLocalOriginFailures: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly baseEjectionTime: number;
  readonly maxEjectionPercent: number;
}

export type Health = 'healthy' | 'degraded' | 'unhealthy' | 'draining' | 'unknown';

export interface EndpointCandidate {
  /** `10.0.0.1:80`, `[::1]:80`, a pipe's path, a host name that DNS resolves. */
  readonly address: string;
  readonly health: Health;
  readonly weight: number;
  readonly priority: number;
  /** `region/zone/subzone`. */
  readonly locality: string;
  /** Share of the cluster's requests, 0 to 1, as far as weights and priorities alone decide. */
  readonly share: number;
  readonly workload?: string;
  /** How connections to it are secured. */
  readonly transport: 'plain' | 'TLS' | 'mutual TLS';
}

/** Where a request or connection goes. */
export interface Destination {
  readonly cluster: string;
  /** `reviews.default.svc.cluster.local`, when the cluster is a service's. */
  readonly service?: string;
  readonly port?: number;
  readonly subset?: string;
  /** How its hosts are found: EDS, STATIC, STRICT_DNS, LOGICAL_DNS, ORIGINAL_DST, DNS_ON_DEMAND. */
  readonly discovery: string;
  /** `LEAST_REQUEST`, … */
  readonly balancing: string;
  /** `HTTP/1.1`, `HTTP/2`, `as the client`. */
  readonly protocol: string;
  /** `plain`, `TLS`, `mutual TLS`, and `… where the endpoint has it`; and the server name that is asked for. */
  readonly transport: string;
  readonly sni?: string;
  /** Why it is secured so, for people. */
  readonly security?: { readonly why: string; readonly origin?: Origin };
  /** False: the config that was read has no endpoints for it (a dump without ?include_eds). */
  readonly endpointsKnown: boolean;
  readonly endpoints: readonly EndpointCandidate[];
  /** All unhealthy hosts are used as well, because too few are healthy. */
  readonly panic: boolean;
  readonly limits: Limits;
  readonly outlierDetection?: OutlierRules;
  readonly origin?: Origin;
}

export interface Mirror {
  readonly cluster: string;
  /** Share of the requests, 0 to 1. */
  readonly share: number;
  /** The host that the copy names. */
  readonly authority: string;
}

/** Something that happens to a share of the requests. */
export interface Delay {
  readonly ms: number;
  readonly share: number;
}

/** One way in which it can end. */
export interface Outcome {
  /** Stable within one explanation: `1`, `2`. */
  readonly id: string;
  readonly type: OutcomeType;
  /** Share of requests like this, 0 to 1; all outcomes together are 1. */
  readonly share: number;
  /** One line for people. */
  readonly summary: string;
  /** The proxy that answers or refuses, when it is not the one that was asked. */
  readonly answeredBy?: string;
  /** Of `denied`: who decided so; several where no rule of any of them allowed it. Of others: who allowed it. */
  readonly policies?: readonly DecidingPolicy[];
  /** What the proxy itself answers; absent when the upstream answers, or nobody does. */
  readonly status?: number;
  readonly body?: string;
  readonly grpcStatus?: number;
  /** Of the proxy's own answer; for `forward` what is added to the upstream's. */
  readonly responseHeaders: readonly HeaderLine[];
  readonly location?: string;
  /** Envoy's: `NR`, `FI`, `DI`, or `-`. */
  readonly flags: string;
  /** Envoy's %RESPONSE_CODE_DETAILS%. */
  readonly responseCodeDetails: string;
  readonly routeConfiguration?: string;
  readonly virtualHost?: string;
  /** The route's name, and its place: `virtualHosts[0].routes[2]`. */
  readonly route?: string;
  readonly routeField?: string;
  readonly routeOrigin?: Origin;
  readonly destination?: Destination;
  /** CONNECT: what the upstream gets is the bytes of a tunnel. */
  readonly tunnel?: boolean;
  readonly upstream?: UpstreamRequest;
  readonly timeouts?: Timeouts;
  readonly retries?: Retries;
  readonly delay?: Delay;
  readonly mirrors: readonly Mirror[];
  /** What the hash is made of, and its value when the request has it; for consistent hashing. */
  readonly hash?: { readonly policies: readonly string[]; readonly value?: string; readonly setsCookie: boolean };
  /** What the client gets instead when the upstream fails: `504 (UT): no answer within 15 s`. */
  readonly mayBecome: readonly string[];
}

/** Why two equal requests can end differently, or explain cannot tell. */
export interface Dependence {
  readonly on: 'chance' | 'time' | 'state' | 'unevaluated';
  readonly why: string;
}

/** Why a request is handled as it is. */
export interface Explanation {
  /** Changes when a field is renamed or removed; fields may be added. */
  readonly version: 1;
  readonly kind: 'request' | 'connection';
  /** `web.default`; of a dump, the node's id. */
  readonly proxy: string;
  readonly proxyType?: 'sidecar' | 'router';
  readonly source: string;
  /** The request as the connection manager took it; absent for connections. */
  readonly request?: {
    readonly method: string;
    readonly scheme: string;
    readonly authority: string;
    readonly path: string;
    readonly headers: readonly HeaderLine[];
  };
  readonly connection: {
    /** How it reaches the proxy: the kind of `Entry`. */
    readonly entry: Entry['kind'];
    readonly listener: string;
    readonly filterChain: string;
    readonly localAddress: string;
    readonly remoteAddress: string;
    readonly sni: string;
    readonly tls: boolean;
    /** Who the client has proven to be: a SPIFFE ID or another name of its certificate. */
    readonly client?: string;
  };
  readonly steps: readonly Step[];
  /** The likeliest first. */
  readonly outcomes: readonly Outcome[];
  readonly nearMisses: readonly NearMiss[];
  /** What else people should know, each a sentence: another proxy serves the host, a flag changed nothing. */
  readonly notes: readonly string[];
  /** HTTP and network filters in the way that explain does not evaluate, and parts of routes likewise. */
  readonly unevaluated: readonly { readonly name: string; readonly why: string; readonly origin?: Origin }[];
  /**
   * True when the same request always ends so, as far as the proxy is concerned: one outcome, no fault or delay left to chance, nothing
   * unevaluated. What the upstream answers, and whether it can be reached, is the upstream's affair.
   */
  readonly decidable: boolean;
  /** Empty exactly when `decidable`. */
  readonly dependsOn: readonly Dependence[];
}
