/**
 * The mesh model: an immutable snapshot of all resources, indexed and resolved. No I/O, no clocks.
 *
 * Where Istio's documentation or control plane defines a behaviour it is followed; see docs/fidelity.md for what is and is not.
 */
import type { Static } from 'typebox';
import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import type {
  DestinationRule,
  Gateway,
  HTTPMatchRequest,
  HTTPRoute,
  RegexRewrite,
  Sidecar,
  TrafficPolicy,
  VirtualService,
} from '../config/kinds/networking.ts';
import type { FieldPath, HomeCluster, Resource, Source } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import type { GatewayApi } from './gateway-api/build.ts';
import type { PeerAuthentications } from './security/peer-authentication.ts';

/** `detected` is Istio's "unsupported": neither appProtocol nor the port's name says what it is. */
export type Protocol =
  | 'HTTP'
  | 'HTTP2'
  | 'HTTP_PROXY'
  | 'GRPC'
  | 'GRPC-Web'
  | 'HTTPS'
  | 'TLS'
  | 'TCP'
  | 'Mongo'
  | 'Redis'
  | 'MySQL'
  | 'UDP'
  | 'detected';

export interface ServicePort {
  name: string;
  /** The port that clients name. */
  number: number;
  /** What endpoints listen on unless they say otherwise: a number, or the name of a container port. */
  targetPort: number | string;
  protocol: Protocol;
  /** Where it stands in the service's resource. */
  path: FieldPath;
  /** The resource that declares it, when that is not the service's own (ports of several ServiceEntries of one host are united). */
  resource?: Resource;
}

export type Resolution = 'static' | 'dns' | 'dns-round-robin' | 'dynamic-dns' | 'passthrough' | 'alias';

/** One host that can be called. A ServiceEntry gives one Service per host and address. */
export interface Service {
  /** Lower case: `reviews.default.svc.cluster.local`, `api.example.com`, `*.example.com`. */
  host: string;
  /** Kubernetes: the Service's name. ServiceEntry: the host, as in Istio's `services` metadata. */
  name: string;
  namespace: string;
  registry: 'Kubernetes' | 'External';
  resource: Resource;
  creationTime: number | undefined;
  /** VIPs and CIDRs; empty when the service has none (0.0.0.0). */
  addresses: readonly string[];
  /** Auto-allocated addresses from the ServiceEntry's status; used only with DNS capture. */
  autoAddresses: readonly string[];
  ports: readonly ServicePort[];
  resolution: Resolution;
  /** Kubernetes `clusterIP: None`. */
  headless: boolean;
  /** ServiceEntry `location: MESH_EXTERNAL`, ExternalName. */
  external: boolean;
  /** Normalised: `['*']`, `['~']`, or namespaces. */
  exportTo: readonly string[];
  /** ExternalName hosts that stand for this service, sorted by namespace, then host. */
  aliases: readonly { host: string; namespace: string }[];
  /** ExternalName: the host that this alias points at. */
  aliasOf?: string;
  selector: Readonly<Record<string, string>> | undefined;
  subjectAltNames: readonly string[];
  trafficDistribution: 'any' | 'zone' | 'node';
  internalTrafficPolicyLocal: boolean;
  /** ServiceEntry with annotation istio.io/connect-strategy: RACE_FIRST_TCP_CONNECT. */
  raceFirstTcpConnect: boolean;
}

export interface Locality {
  region: string;
  zone: string;
  subzone: string;
}

/** One address that serves one port of a service. */
export interface Endpoint {
  /** IP literal, host name (DNS services), or `unix://` path. */
  address: string;
  /** 0 with a unix path. */
  port: number;
  labels: Readonly<Record<string, string>>;
  locality: Locality;
  /** At least 1. */
  weight: number;
  /** `unknown` is what ServiceEntry and WorkloadEntry endpoints are. */
  health: 'healthy' | 'unhealthy' | 'draining' | 'unknown';
  /** For `filter_metadata.istio.workload`. */
  workload: { name: string; namespace: string };
  serviceAccount: string;
  network: string;
  nodeName: string;
  /** `istio` when it speaks mesh mTLS: it has a proxy that takes connections there, and no PeerAuthentication switches it off. */
  tlsMode: 'istio' | 'disabled';
  resource: Resource;
  /** The workload that serves it, where one is known. */
  runs?: Workload;
}

/** Something that runs: a Pod or a WorkloadEntry. */
export interface Workload {
  name: string;
  namespace: string;
  /** WorkloadEntry, Pod, or `implied` (see ProxyNode). */
  kind: 'Pod' | 'WorkloadEntry' | 'implied';
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  addresses: readonly string[];
  serviceAccount: string;
  locality: Locality;
  network: string;
  nodeName: string;
  /** Owner as people know it: `reviews-v1` for a pod of that deployment. */
  workloadName: string;
  /** WorkloadEntry `ports`, or the container ports by name. */
  ports: Readonly<Record<string, number>>;
  resource: Resource | undefined;
  /** The cluster that it runs in; undefined: the own one, which says nothing of itself. */
  cluster?: HomeCluster | undefined;
}

/** What the pods of a Deployment, StatefulSet, DaemonSet, ReplicaSet or Job will be. It has no addresses, so it gives no endpoints. */
export interface WorkloadTemplate {
  /** `Deployment`, … */
  kind: string;
  name: string;
  namespace: string;
  /** Of the pods. */
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  serviceAccount: string;
  /** Container ports by name. */
  ports: Readonly<Record<string, number>>;
  resource: Resource;
}

/** How traffic gets to a proxy. NONE: explicitly, by HTTP_PROXY or a bound port; the rest transparently. */
export type Interception = 'NONE' | 'REDIRECT' | 'TPROXY';

/** One proxy whose config is computed: a workload's sidecar, or a gateway. */
export interface ProxyNode {
  type: 'sidecar' | 'router';
  /** `<type>~<ip>~<name>.<ns>~<ns>.svc.<domain>`. */
  id: string;
  name: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  ips: readonly string[];
  interception: Interception;
  /** Sidecars: where the explicit HTTP proxy listens on loopback; undefined for none. */
  httpProxyPort: number | undefined;
  locality: Locality;
  network: string;
  serviceAccount: string;
  workload: Workload;
}

/** A match of an HTTP rule, with what only the Gateway API can say. */
export type HttpMatch = HTTPMatchRequest & {
  /** A prefix of whole segments: `/a` takes `/a` and `/a/b`, not `/ab`. It does not end in a slash. */
  bySegments?: true;
};

/** An HTTP rule, with what only the Gateway API can say. */
export type HttpRule = Omit<HTTPRoute, 'match'> & {
  match?: HttpMatch[];
  /** Redirects: the new path, in place of `redirect.uri` and `redirect.prefixRewrite`. */
  redirectRegex?: Static<typeof RegexRewrite>;
  /** The status of requests whose destination is not there. Default: 503. */
  notFound?: 500;
};

/** What a VirtualService says, or what routes of the Gateway API say in its words. */
export type RoutedSpec = Omit<VirtualService, 'http'> & { http?: HttpRule[] };

/** A VirtualService as one proxy sees it: delegates merged, hosts complete. */
export interface VirtualServiceView {
  /** Views of routes of the Gateway API: what tells those of one route apart. */
  id?: string;
  /** A VirtualService, or a route of the Gateway API: that of the first rule. */
  resource: Resource;
  /** Complete and lower case. */
  hosts: readonly string[];
  /** Normalised: `mesh` or `<ns>/<name>`. */
  gateways: readonly string[];
  /** With delegates merged in; else the resource's own. Short host names inside are NOT completed: use `Mesh.completeHost`. */
  spec: RoutedSpec;
  /** TLSRoutes and TCPRoutes: where the rule was written that is in `spec.tls` or `spec.tcp`. */
  layer4Path?: FieldPath;
  /**
   * For `spec.http[i]`: the resource and the field it was written in (a delegate's own position). `matches`, for routes merged from a
   * delegate only: where `spec.http[i].match[j]` was written. Hosts inside such routes are complete already.
   */
  httpOrigins: readonly {
    resource: Resource;
    path: FieldPath;
    matches?: readonly { resource: Resource; path: FieldPath }[];
  }[];
  exportTo: readonly string[];
}

/** All DestinationRules of one host in one namespace, merged. */
export interface DestinationRuleView {
  /** The oldest: its name is written to metadata. */
  resource: Resource<DestinationRule>;
  /** Complete and lower case; may be a wildcard. */
  host: string;
  spec: DestinationRule;
  exportTo: readonly string[];
  /** Where `spec.subsets[i]` was written. */
  subsetOrigins: readonly { resource: Resource<DestinationRule>; path: FieldPath }[];
}

/** The four blocks after the precedence of port and subset levels, and the ones that have no port level. */
export type EffectivePolicy = Pick<
  TrafficPolicy,
  'connectionPool' | 'loadBalancer' | 'outlierDetection' | 'tls' | 'proxyProtocol' | 'tunnel' | 'retryBudget'
>;

/** A Gateway of Istio's, or a listener of one of the Gateway API. */
export interface GatewayView {
  resource: Resource;
  spec: Gateway;
  /** What VirtualServices and routes are attached to: `<ns>/<name>`, with `/<listener>` for the Gateway API's. */
  key: string;
  /** Labels of the routers that serve it; empty for all. */
  selector: Readonly<Record<string, string>>;
  /** The namespace of these routers; undefined for any. */
  namespace: string | undefined;
  /** Where `spec.servers[i]` was written. */
  serverPath(index: number): FieldPath;
  /** Requests for its hosts are its own, even when nothing is attached that routes them. */
  claimsHosts: boolean;
}

/** One outbound listener of a Sidecar resource, or the built-in catch-all one. */
export interface EgressListenerView {
  /** undefined: the catch-all listener. */
  port: { number: number; protocol: Protocol; name: string } | undefined;
  bind: string | undefined;
  captureMode: 'DEFAULT' | 'IPTABLES' | 'NONE';
  /** Visible and imported here, in the order in which conflicts were decided. */
  services: readonly Service[];
  virtualServices: readonly VirtualServiceView[];
  path: FieldPath | undefined;
}

/** What one proxy sees. */
export interface ProxyScope {
  proxy: ProxyNode;
  /** Services visible here after exportTo, Sidecar and host conflicts. One per host (and address). */
  services: readonly Service[];
  serviceByHost(host: string): Service | undefined;
  sidecar: Resource<Sidecar> | undefined;
  egress: readonly EgressListenerView[];
  /** Sidecar ingress; undefined: listeners follow the services that select this workload. */
  ingress: Sidecar['ingress'];
  outboundTrafficPolicy: NonNullable<MeshConfig['outboundTrafficPolicy']>;
  /**
   * VirtualServices visible here, delegates merged, in the order of virtualServicesFor: the namespace's own that are exported to it by
   * name, others exported to it by name, public ones; each oldest first. Sidecars: those for `mesh` that egress hosts import.
   */
  virtualServices: readonly VirtualServiceView[];
  /** VirtualServices attached to `<ns>/<name>`, in the order in which a gateway concatenates their routes. */
  virtualServicesFor(gateway: string): readonly VirtualServiceView[];
  /** The rule for a service's clusters. Rules with a workloadSelector count outbound (the default) only. */
  destinationRule(service: Service, direction?: 'outbound' | 'inbound'): DestinationRuleView | undefined;
  /** Services whose endpoints this proxy's workload serves, with the instance's port: for inbound listeners and gateway ports. */
  instances: readonly { service: Service; port: ServicePort; targetPort: number }[];
  /** Gateways that select this proxy, oldest first. Empty for sidecars. */
  gateways: readonly GatewayView[];
}

export interface Mesh {
  /** With Istio's defaults filled in. */
  config: ResolvedMeshConfig;
  /** Where the settings that were given stand; without it findings about them have no position. */
  configSource?: Source | undefined;
  /** Those of the own cluster: other clusters give services and endpoints only. */
  resources: readonly Resource[];
  services: readonly Service[];
  /** Those of the own cluster. */
  workloads: readonly Workload[];
  /** The own cluster, when it says something of itself. */
  home: HomeCluster | undefined;
  /** The networks that endpoints are in, of all clusters, each with an object that is there. */
  networks: ReadonlyMap<string, Resource>;
  /** Deployments and the like, oldest first. */
  workloadTemplates: readonly WorkloadTemplate[];
  /** `reviews` named in namespace `foo` is `reviews.foo.svc.<domain>`; names with dots, `*` and addresses stay. Lower case. */
  completeHost(host: string, namespace: string): string;
  /** Gateways of both APIs, oldest first. */
  gateways: readonly GatewayView[];
  /** The objects of the Gateway API, and what became of them. */
  gatewayApi: GatewayApi;
  /** All of a kind, oldest first (creation time, name, namespace). Kinds of the Gateway API by `gateway.networking.k8s.io/Gateway`. */
  ofKind<T>(kind: string): readonly Resource<T>[];
  /** Endpoints of one port of a service, before any proxy's view. DNS services too. */
  endpoints(service: Service, port: ServicePort): readonly Endpoint[];
  /**
   * The services (where several of one host were united: those of them) whose endpoints changed while `routingVersion` stayed, each with an object that stands for its last change:
   * where two meshes of one routing have the same object, or none, endpoints are the same.
   */
  endpointChanges: ReadonlyMap<Service, object>;
  /** Same object while endpoints of services that are the same objects stay the same. */
  endpointsVersion: object;
  /** Same object while the PeerAuthentications are the same. */
  peerAuthentications: PeerAuthentications;
  scope(proxy: ProxyNode): ProxyScope;
  /**
   * Same object while nothing but endpoints changed: listeners, routes and clusters of the same proxy can be kept. (A proxy whose own
   * workload changed is another ProxyNode: compare those as well.)
   */
  routingVersion: object;
  /** What was found while building: conflicts, dangling delegates, refused or ignored fields. */
  problems: readonly Problem[];
}

/** MeshConfig with the defaults that the model and the generator rely on. */
export type ResolvedMeshConfig = MeshConfig & {
  rootNamespace: string;
  trustDomain: string;
  /** Cluster domain suffix, `cluster.local`. */
  domain: string;
};
