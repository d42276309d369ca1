import { configPath, fieldOf } from '../envoy/metadata.ts';
import { isCapturedPort } from '../mesh/captured-ports.ts';
import { dnsNamesOf, identityOf } from '../mesh/identity.ts';
import { labelOf } from '../mesh/labels.ts';
import { everyProxy } from '../mesh/proxies.ts';
import { effectiveMtls } from '../mesh/security/peer-authentication.ts';
import { jwtRules } from '../mesh/security/request-authentications.ts';
import type { Endpoint, Mesh, ProxyNode, Workload } from '../mesh/types.ts';
import { hostAddress } from '../upstream/host-address.ts';
import { isBound, isWildcard, listenerPlace } from './listener.ts';
import { originOf } from './locator.ts';
import type { DecidingPolicy, Entry } from './types.ts';
import type { MeshSide, OwnSide, ProxyView, Server } from './view.ts';

/** Knows the proxies of a mesh by the endpoints that they stand before. */
export interface MeshSides {
  of(proxy: ProxyNode): MeshSide;
}

/** @param open the view of any proxy of the mesh, the same object each time */
export function createMeshSides(mesh: Mesh, open: (proxy: ProxyNode) => ProxyView): MeshSides {
  let nodes: Map<Workload, ProxyNode> | undefined;
  const nodeOf = (workload: Workload): ProxyNode | undefined => {
    nodes ??= new Map(everyProxy(mesh).map((node) => [node.workload, node]));
    return nodes.get(workload);
  };
  const endpoints = new Map<string, ReadonlyMap<string, Endpoint>>();
  const endpointAt = (host: string, port: number, address: string): Endpoint | undefined => {
    const key = `${host}:${port}`;
    let known = endpoints.get(key);
    if (known === undefined) {
      const service = mesh.services.find((s) => s.host === host);
      const declared = service?.ports.find((p) => p.number === port);
      const list = service === undefined || declared === undefined ? [] : mesh.endpoints(service, declared);
      known = new Map(list.map((e) => [e.port === 0 ? e.address : hostAddress(e.address, e.port), e]));
      endpoints.set(key, known);
    }
    return known.get(address);
  };
  const servers = new WeakMap<Endpoint, Server | 'no-proxy' | 'unknown'>();
  const serverOf = (host: string, port: number, address: string): Server | 'no-proxy' | undefined => {
    const endpoint = endpointAt(host, port, address);
    if (endpoint === undefined) return undefined;
    let known = servers.get(endpoint);
    if (known === undefined) {
      const node = endpoint.runs && nodeOf(endpoint.runs);
      known = (node && serverBefore(endpoint, node, open)) ?? 'unknown';
      servers.set(endpoint, known);
    }
    return known === 'unknown' ? undefined : known;
  };
  const shared: Omit<MeshSide, 'own'> = {
    serverOf,
    plainBecause(host, port, address) {
      const endpoint = endpointAt(host, port, address);
      if (endpoint?.runs === undefined) return undefined;
      const { namespace, labels } = endpoint.runs;
      const { mode, by } = effectiveMtls(mesh.peerAuthentications.policiesFor(namespace, labels), endpoint.port);
      if (mode !== 'DISABLE' || by === undefined) return undefined;
      const { name, namespace: of } = by.resource.metadata;
      return {
        why: `PeerAuthentication ${of}/${name} switches mutual TLS off there`,
        origin: originOf(by.resource, configPath(by.resource), fieldOf(by.at)),
      };
    },
  };
  const known = new WeakMap<ProxyNode, MeshSide>();
  return {
    of(proxy) {
      let side = known.get(proxy);
      if (side === undefined) {
        side = { ...shared, own: ownSide(mesh, proxy) };
        known.set(proxy, side);
      }
      return side;
    },
  };
}

function ownSide(mesh: Mesh, proxy: ProxyNode): OwnSide {
  return {
    identity: { uris: [identityOf(proxy, mesh.config)], dnsNames: dnsNamesOf(proxy) },
    ip: proxy.ips[0] ?? '127.0.0.1',
    tokenRule(issuer) {
      const found = jwtRules(mesh, proxy).find(({ rule }) => rule.issuer === issuer);
      return found && originOf(found.resource, configPath(found.resource), fieldOf(found.path));
    },
    mtls(port): DecidingPolicy {
      const { mode, by } = effectiveMtls(mesh.peerAuthentications.policiesFor(proxy.namespace, proxy.labels), port);
      return {
        kind: 'PeerAuthentication',
        name: by?.resource.metadata.name ?? '',
        namespace: by?.resource.metadata.namespace ?? '',
        action: mode,
        ...(by && { origin: originOf(by.resource, configPath(by.resource), fieldOf(by.at)) }),
      };
    },
  };
}

/**
 * The proxy in front of an endpoint. Pods have one when their label `security.istio.io/tlsMode` says so, as the injector writes it; of
 * others nobody knows whether they will be injected;
 * without interception there are the bound ports of a Sidecar's ingress alone.
 */
function serverBefore(
  { port, address }: Endpoint,
  node: ProxyNode,
  open: (proxy: ProxyNode) => ProxyView,
): Server | 'no-proxy' | undefined {
  const { workload, interception, type } = node;
  if (workload.kind === 'Pod' && type === 'sidecar' && labelOf(workload.labels, 'security.istio.io/tlsMode') !== 'istio') return undefined;
  const { namespace, labels, annotations, serviceAccount } = workload;
  const kind = JSON.stringify([type, namespace, labels, annotations, serviceAccount, interception, port]);
  if (type === 'sidecar' && interception !== 'NONE')
    return isCapturedPort(workload, port) ? { view: open(node), entry: { kind: 'inbound', port }, alike: kind } : 'no-proxy';
  const view = open(node);
  const at = view.listeners.find((l) => {
    const place = listenerPlace(l);
    return (
      isBound(l) &&
      place.port === port &&
      (place.ip === address || isWildcard(place.ip)) &&
      (type === 'router' || l.trafficDirection === 'INBOUND')
    );
  });
  if (at === undefined) return 'no-proxy';
  const entry: Entry = { kind: 'port', port, address: listenerPlace(at).ip };
  return { view, entry, alike: `${kind} ${entry.address}` };
}
