/** What a proxy runs, whoever computed it: all that explanations read. */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Snapshot } from '../envoy/snapshot.ts';
import type { ClientIdentity, DecidingPolicy, Entry, Origin } from './types.ts';

/** What a mesh knows of the proxy that a view is of. */
export interface OwnSide {
  /** The names in its certificate. */
  readonly identity: ClientIdentity;
  readonly ip: string;
  /** What mutual TLS is on one of its ports, and the policy that says so. */
  mtls(port: number): DecidingPolicy;
  /** The rule for tokens of an issuer. */
  tokenRule(issuer: string): Origin | undefined;
}

/** A proxy of the mesh that takes the connections to an endpoint. */
export interface Server {
  readonly view: ProxyView;
  readonly entry: Entry;
  /** Equal for those that behave the same. */
  readonly alike: string;
}

/** The proxies around the one that a view is of. */
export interface MeshSide {
  readonly own: OwnSide;
  /** The proxy in front of an endpoint of a service; `no-proxy`: its workload itself is called; undefined: nothing is known of it. */
  serverOf(service: string, port: number, address: string): Server | 'no-proxy' | undefined;
  /** Why connections to an endpoint are secured as they are: the policy that asks for plain text, if one does. */
  plainBecause(service: string, port: number, address: string): { readonly why: string; readonly origin?: Origin } | undefined;
}

/** Finds where something was written. Answers undefined for what it does not know. */
export interface Locator {
  /** By `istio.config` (or `fairlead.config`) and `fairlead.field` of Envoy's metadata. */
  resource(config: string, field: string | undefined): Origin | undefined;
  /** The Service or ServiceEntry that declares a host. */
  service(host: string): Origin | undefined;
  /** The rule of an AuthorizationPolicy by the name that filters give it. */
  policy(name: string): Origin | undefined;
  /** Addresses of a service's host, without any look-up. */
  addresses(host: string): readonly string[];
}

export interface ProxyView {
  /** `web.default`; of a dump, the node's id. */
  readonly proxy: string;
  /** What was read, for people: `mesh/`, `dump.json`, an agent's address. */
  readonly source: string;
  readonly type: 'sidecar' | 'router' | undefined;
  readonly listeners: readonly ListenerJson[];
  readonly routes: readonly RouteConfigurationJson[];
  readonly clusters: readonly ClusterJson[];
  readonly endpoints: readonly ClusterLoadAssignmentJson[];
  /** False: endpoints of EDS clusters were not part of what was read. */
  readonly endpointsKnown: boolean;
  /** Configuration of filters that came by ECDS, by the filters' names. */
  readonly extensions?: ReadonlyMap<string, unknown>;
  readonly locator?: Locator;
  /** Absent where only the proxy itself is known: of a dump. */
  readonly mesh?: MeshSide;
}

/** The view of a computed snapshot. */
export function viewOfSnapshot(snapshot: Snapshot, source: string, locator?: Locator, mesh?: MeshSide): ProxyView {
  const { proxy, listeners, routes, clusters, endpoints } = snapshot;
  return {
    proxy: `${proxy.name}.${proxy.namespace}`,
    source,
    type: proxy.type,
    listeners,
    routes,
    clusters,
    endpoints,
    endpointsKnown: true,
    ...(locator !== undefined && { locator }),
    ...(mesh !== undefined && { mesh }),
  };
}

/** By-name look-ups of one view, made when they are first asked for. */
export interface ViewIndex {
  cluster(name: string): ClusterJson | undefined;
  routes(name: string): RouteConfigurationJson | undefined;
  assignment(clusterOrService: string): ClusterLoadAssignmentJson | undefined;
}

const indexes = new WeakMap<ProxyView, ViewIndex>();

/** The view's index; the same object for the same view. */
export function indexOf(view: ProxyView): ViewIndex {
  let index = indexes.get(view);
  if (index === undefined) {
    let clusters: Map<string, ClusterJson> | undefined;
    let endpoints: Map<string, ClusterLoadAssignmentJson> | undefined;
    index = {
      cluster(name) {
        clusters ??= new Map(view.clusters.map((c) => [c.name ?? '', c]));
        return clusters.get(name);
      },
      routes: (name) => view.routes.find((r) => r.name === name),
      assignment(name) {
        endpoints ??= new Map(view.endpoints.map((e) => [e.clusterName ?? '', e]));
        return endpoints.get(name);
      },
    };
    indexes.set(view, index);
  }
  return index;
}
