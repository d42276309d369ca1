/** From a request record to who called whom, by the mesh's model. */
import { parseClusterName } from '../../envoy/names.ts';
import type { Mesh, ProxyNode, Service, Workload } from '../../mesh/types.ts';
import type { RequestRecord } from '../request-record.ts';
import { type Peer, peerOf, UNKNOWN, UNKNOWN_PEER } from './peers.ts';
import type { Seen } from './seen.ts';

/** The two ends of a request, and the service that was called. */
export interface Who {
  readonly source: Peer;
  readonly destination: Peer;
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string };
}

/** Worked out once for each pair of ends; the oldest go when there are more. */
const KNOWN_LIMIT = 20_000;

/**
 * Answers for one mesh; make a new one when the mesh is another.
 *
 * @param seen what the configuration of a proxy tells, where the mesh is not known
 */
export function createWho(
  mesh: Mesh,
  proxies: readonly ProxyNode[],
  seen?: (proxy: ProxyNode) => Seen | undefined,
): (record: RequestRecord) => Who | undefined {
  const nodes = new Map(proxies.map((p) => [`${p.name}.${p.namespace}`, p]));
  const byAddress = onlyOnes(mesh.workloads.flatMap((w) => w.addresses.map((a) => [a, w] as const)));
  const byAccount = onlyOnes(mesh.workloads.map((w) => [`${w.namespace}/${w.serviceAccount}`, w] as const));
  const known = new Map<string, Who>();

  function find(record: RequestRecord, proxy: ProxyNode): Who {
    const own = ownPeer(proxy);
    if (record.direction === 'inbound') {
      const service = inboundService(mesh, proxy, record.upstreamCluster);
      const destination = withPrincipal(own, record.peerPrincipal && ownPrincipal(mesh, proxy));
      return { source: client(record, byAddress, byAccount), destination, service: named(service, record) };
    }
    const cluster = parseClusterName(record.upstreamCluster);
    const service = cluster && mesh.scope(proxy).serviceByHost(cluster.host);
    const destination = service && cluster ? endpointPeer(mesh, service, cluster.port, record.upstreamHost) : undefined;
    return { source: own, destination: destination ?? UNKNOWN_PEER, service: named(service, record) };
  }

  /** What changes from one moment to the next is not kept. */
  function look(record: RequestRecord, proxy: ProxyNode, config: Seen): Who {
    const who = find(record, proxy);
    if (record.direction === 'inbound') {
      const source = who.source.workload === UNKNOWN ? config.peer(hostOf(record.downstreamRemoteAddress)) : undefined;
      return source ? { ...who, source: { ...source, principal: who.source.principal } } : who;
    }
    const destination = who.destination === UNKNOWN_PEER ? config.peer(record.upstreamHost) : undefined;
    const service = config.service(record.upstreamCluster);
    return { ...who, ...(destination ? { destination } : {}), ...(service ? { service } : {}) };
  }

  return (record) => {
    const proxy = nodes.get(record.proxy);
    if (proxy === undefined) return undefined;
    const config = seen?.(proxy);
    if (config) return look(record, proxy, config);
    const end = record.direction === 'inbound' ? hostOf(record.downstreamRemoteAddress) : record.upstreamHost;
    const fallback = parseClusterName(record.upstreamCluster) ? '' : record.authority;
    const key = `${record.proxy} ${record.direction} ${record.upstreamCluster} ${end} ${record.peerPrincipal ?? ''} ${fallback}`;
    let who = known.get(key);
    if (who === undefined) {
      if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value!);
      who = find(record, proxy);
      known.set(key, who);
    }
    return who;
  };
}

/** Entries whose key only one workload has: an address that several share, as loopback, names nobody. */
function onlyOnes(entries: readonly (readonly [string, Workload])[]): Map<string, Workload> {
  const found = new Map<string, Workload | undefined>();
  for (const [key, workload] of entries) found.set(key, found.has(key) && found.get(key) !== workload ? undefined : workload);
  return new Map([...found].filter((e): e is [string, Workload] => e[1] !== undefined));
}

const hostOf = (address: string): string =>
  address.startsWith('[') ? address.slice(1, address.indexOf(']')) : (address.split(':')[0] ?? '');

const ofWorkload = (w: Workload): Peer => peerOf(w.workloadName || w.name, w.namespace, w.labels);
const ownPeer = ({ workload }: ProxyNode): Peer => ofWorkload(workload);
const withPrincipal = (peer: Peer, principal: string | undefined): Peer => (principal ? { ...peer, principal } : peer);

function ownPrincipal({ config }: Mesh, { namespace, serviceAccount }: ProxyNode): string {
  return `spiffe://${config.trustDomain}/ns/${namespace}/sa/${serviceAccount || 'default'}`;
}

/** The client as its certificate says, else as its address says. */
function client(record: RequestRecord, byAddress: ReadonlyMap<string, Workload>, byAccount: ReadonlyMap<string, Workload>): Peer {
  const account = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(record.peerPrincipal ?? '');
  const workload = (account && byAccount.get(`${account[1]}/${account[2]}`)) ?? byAddress.get(hostOf(record.downstreamRemoteAddress));
  const peer = workload ? ofWorkload(workload) : account ? { ...UNKNOWN_PEER, namespace: account[1]! } : UNKNOWN_PEER;
  return withPrincipal(peer, record.peerPrincipal);
}

/** The workload behind an endpoint. Without one, as when no connection was made, the labels that all endpoints share would be a guess. */
function endpointPeer(mesh: Mesh, service: Service, number: number, address: string): Peer | undefined {
  const port = service.ports.find((p) => p.number === number);
  if (port === undefined || address === '') return undefined;
  const found = mesh.endpoints(service, port).find((e) => shown(e.address, e.port) === address);
  return found && peerOf(found.workload.name, found.workload.namespace, found.labels);
}

const shown = (ip: string, port: number): string =>
  ip.startsWith('unix://') ? ip.slice(7) : `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;

/** The service of an inbound cluster: the first one whose instances listen on its port. */
function inboundService(mesh: Mesh, proxy: ProxyNode, cluster: string): Service | undefined {
  const port = parseClusterName(cluster)?.port;
  return mesh.scope(proxy).instances.find((i) => i.targetPort === port)?.service;
}

/** Istio: without a known service the Host header of requests that are sent, and the cluster's name (PassthroughCluster and its like). */
function named(service: Service | undefined, record: RequestRecord): Who['service'] {
  if (service) return { host: service.host, name: service.name, namespace: service.namespace };
  const host = record.direction === 'outbound' ? record.authority.replace(/:\d+$/, '') : '';
  const cluster = record.upstreamCluster.includes('|') ? '' : record.upstreamCluster;
  return { host: host || UNKNOWN, name: cluster || host || UNKNOWN, namespace: UNKNOWN };
}
