/** What `describe` tells. Plain data with stable names: it is its JSON as well. */
import type { Problem } from '../errors.ts';
import type { Exposure } from '../explain/exposures.ts';
import type { Origin } from '../explain/types.ts';

/** How many endpoints there are, and how the model sees them. `usable` are those that get requests: healthy and unknown ones. */
export interface EndpointCount {
  readonly total: number;
  readonly usable: number;
  readonly unhealthy: number;
  readonly draining: number;
  /** Deployments and the like will have pods that are endpoints; the configuration does not have the pods. */
  readonly planned?: true;
}

export interface RouteDestination {
  /** As Envoy names it. */
  readonly cluster: string;
  readonly service?: string;
  readonly port?: number;
  readonly subset?: string;
  /** 0 to 1. */
  readonly share: number;
  /** Absent where nothing can be counted: other hosts, addresses that DNS tells. */
  readonly endpoints?: EndpointCount;
  /** Why requests for it fail. */
  readonly fails?: string;
}

/** Why something written has no effect, and what stands in its way. */
export interface Shadow {
  readonly why: string;
  readonly by?: Origin;
}

/** A rule for requests or connections, in the order in which they are tried. */
export interface RouteUse {
  /** 1-based, among the routes of its port. */
  readonly number: number;
  readonly name: string;
  readonly protocol: 'HTTP' | 'TLS' | 'TCP';
  /** All of them must hold; none: everything. */
  readonly conditions: readonly string[];
  readonly kind: 'forward' | 'redirect' | 'direct-response' | 'not-evaluated';
  /** `301 to https`, `answers 403`. */
  readonly answer?: string;
  readonly destinations: readonly RouteDestination[];
  /** Timeouts, retries, rewrites, faults, mirrors: word and text. */
  readonly settings: readonly (readonly [word: string, text: string])[];
  readonly origin?: Origin;
  /** No request ever gets to it. */
  readonly shadow?: Shadow;
}

/** One block of a traffic policy after precedence. */
export interface PolicyBlock {
  /** `loadBalancer`, `connectionPool`, `outlierDetection`, `tls`, … */
  readonly block: string;
  /** `simple ROUND_ROBIN`. */
  readonly text: string;
  readonly value: unknown;
  /** Which level of the rule it is from. */
  readonly level: 'subset port' | 'subset' | 'port' | 'rule' | 'mesh';
  /** For one port only; where several are shown together. */
  readonly port?: number;
  readonly origin?: Origin;
}

export interface MtlsMode {
  readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLE';
  /** The PeerAuthentication that says so; absent: Istio's default. */
  readonly origin?: Origin;
  /** Nothing enforces it: no proxy takes connections on that port. */
  readonly unguarded?: true;
}

/** What workloads accept on a port, and what clients send to it. */
export interface PortMtls {
  /** By groups of workloads that accept the same. */
  readonly server: readonly (MtlsMode & { readonly workloads: readonly string[] })[];
  readonly client: {
    /** `ISTIO_MUTUAL`, `SIMPLE`, `DISABLE`, …; `automatic`: mutual TLS to endpoints that can. */
    readonly mode: string;
    readonly origin?: Origin;
  };
  /** True when these clients cannot talk to some of these workloads, as Istio would have it. */
  readonly conflict?: string;
  /** What Fairlead does today, where that is something else. */
  readonly today?: string;
}

export interface PortDescription {
  readonly number: number;
  readonly name: string;
  readonly protocol: string;
  readonly targetPort: number | string;
  readonly origin: Origin;
  readonly endpoints: EndpointCount;
  /** Where endpoints listen. */
  readonly endpointPorts: readonly number[];
  readonly routes: readonly RouteUse[];
  readonly trafficPolicy: readonly PolicyBlock[];
  readonly mtls: PortMtls;
}

export interface SubsetDescription {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly origin: Origin;
  /** By port number. */
  readonly endpoints: readonly (EndpointCount & { readonly port: number })[];
  /** What differs from the policy of the rule, by port: only blocks of the subset's own. */
  readonly trafficPolicy: readonly PolicyBlock[];
  /** Names of the routes that send something to it. */
  readonly usedBy: readonly Origin[];
}

/** A resource that is about this, and whether it acts. */
export interface ResourceUse {
  readonly origin: Origin;
  readonly state: 'acts' | 'partly' | 'ignored';
  readonly shadows: readonly Shadow[];
}

/** Who sees a service. */
export interface Visibility {
  /** `*`, `~`, or namespaces. */
  readonly exportTo: readonly string[];
  /** Namespaces with workloads that see it. */
  readonly seenFrom: readonly string[];
  readonly hiddenFrom: readonly {
    readonly namespace: string;
    readonly workloads: readonly string[];
    readonly why: string;
    readonly by?: Origin;
  }[];
}

export interface AppliedPolicy {
  readonly origin: Origin;
  /** `DENY, 2 rules`. */
  readonly summary: string;
  readonly scope: 'mesh' | 'namespace' | 'workload' | 'attached';
  /** Of an AuthorizationPolicy: who may or may not do what, rule by rule. */
  readonly rules?: readonly { readonly text: string; readonly origin: Origin }[];
  /** Absent: of all that is described. */
  readonly workloads?: readonly string[];
  readonly shadow?: Shadow;
  /** What Fairlead does today, where it is not what the policy says. */
  readonly today?: string;
}

/** A route of another host that leads here. */
export interface Reference {
  readonly origin: Origin;
  readonly hosts: readonly string[];
  readonly what: string;
}

export interface ServiceDescription {
  readonly version: 1;
  readonly kind: 'service';
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
  readonly registry: 'Kubernetes' | 'External';
  readonly resolution: string;
  readonly external: boolean;
  readonly addresses: readonly string[];
  readonly origin: Origin;
  /** Whose routes these are: `web.default`. */
  readonly from: string;
  readonly visible: boolean;
  readonly ports: readonly PortDescription[];
  readonly subsets: readonly SubsetDescription[];
  readonly virtualServices: readonly ResourceUse[];
  readonly destinationRules: readonly ResourceUse[];
  readonly exposedBy: readonly (Exposure & { readonly gateway: string })[];
  readonly reachedBy: readonly Reference[];
  readonly visibility: Visibility;
  readonly workloads: readonly string[];
  readonly policies: readonly AppliedPolicy[];
  readonly problems: readonly Problem[];
}

export interface WorkloadDescription {
  readonly version: 1;
  readonly kind: 'workload' | 'pod';
  readonly name: string;
  readonly namespace: string;
  /** Pod, WorkloadEntry, Deployment, …; `implied`: nothing declares it. */
  readonly declaredAs: string;
  readonly proxy: 'sidecar' | 'gateway';
  readonly origin?: Origin;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  /** `spiffe://cluster.local/ns/default/sa/default`; absent without a service account. */
  readonly identity?: string;
  readonly locality?: string;
  readonly httpProxyPort?: number;
  readonly services: readonly {
    readonly host: string;
    readonly port: number;
    readonly protocol: string;
    readonly targetPort: number;
    readonly origin: Origin;
    readonly subsets: readonly string[];
    readonly mtls: MtlsMode;
  }[];
  readonly sidecar?: ResourceUse;
  /** What it can call. */
  readonly outbound: { readonly services: number; readonly hidden: number; readonly unknownHosts: string };
  readonly exposes: readonly Exposure[];
  readonly policies: readonly AppliedPolicy[];
  readonly problems: readonly Problem[];
}

/** What a resource touches: the reverse view. */
export interface ResourceDescription {
  readonly version: 1;
  readonly kind: 'resource';
  readonly origin: Origin;
  readonly summary: string;
  readonly state: 'acts' | 'partly' | 'ignored';
  readonly shadows: readonly Shadow[];
  /** Proxies whose config it is part of. */
  readonly workloads: readonly string[];
  readonly services: readonly { readonly host: string; readonly ports: readonly number[]; readonly note?: string }[];
  readonly routes: readonly (RouteUse & { readonly at: readonly string[] })[];
  readonly exposes: readonly (Exposure & { readonly gateway: string })[];
  readonly subsets: readonly SubsetDescription[];
  readonly trafficPolicy: readonly PolicyBlock[];
  /** Anything else that is to be known: word and text. */
  readonly facts: readonly (readonly [word: string, text: string])[];
  readonly problems: readonly Problem[];
}

export type Description = ServiceDescription | WorkloadDescription | ResourceDescription;
