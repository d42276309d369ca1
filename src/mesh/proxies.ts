import type { PodStatus } from '../config/kinds/kubernetes.ts';
import { isLoopback } from './addresses.ts';
import { impliedClient, impliedGateways, isGatewayWorkload } from './implied-workloads.ts';
import { httpProxyPorts } from './interception.ts';
import { proxyNodeOf } from './proxy-node.ts';
import type { Mesh, ProxyNode, Workload, WorkloadTemplate } from './types.ts';

/** The host whose proxies are asked for. */
export interface Host {
  /** All its IP addresses. Loopback ones are always the host's own. */
  addresses: readonly string[];
  nodeName?: string;
  /**
   * Which pods run here: none, those whose `nodeName` is the host's, those that have one of its addresses (the pod that asks), or all of
   * the mesh.
   */
  pods: 'none' | 'node' | 'own' | 'all';
}

const byNamespaceAndName = (a: Workload, b: Workload): number =>
  a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/** An address that is this machine whatever machine it is. */
function isOwnAddress(address: string): boolean {
  return isLoopback(address) || address.startsWith('unix://');
}

function isRunning(pod: Workload): boolean {
  const { phase } = (pod.resource?.status ?? {}) as PodStatus;
  return phase !== 'Succeeded' && phase !== 'Failed';
}

function isLocal(workload: Workload, host: Host): boolean {
  if (workload.kind === 'Pod') {
    if (host.pods === 'none' || !isRunning(workload)) return false;
    if (host.pods === 'own') return workload.addresses.some((a) => host.addresses.includes(a));
    return host.pods === 'all' || (workload.nodeName !== '' && workload.nodeName === host.nodeName);
  }
  return workload.addresses.some(
    (a) => isOwnAddress(a) || host.addresses.includes(a) || (host.nodeName !== undefined && a === host.nodeName),
  );
}

/** Proxies of workloads that share a host: gateways are routers, the rest sidecars, each with its own explicit proxy port. */
function nodesOf(workloads: readonly Workload[], mesh: Mesh): ProxyNode[] {
  const sorted = [...workloads].sort(byNamespaceAndName);
  const isRouter = (w: Workload): boolean => isGatewayWorkload(mesh.gateways, w);
  const ports = httpProxyPorts(
    sorted.filter((w) => !isRouter(w)),
    mesh.config,
  );
  return sorted.map((w) => proxyNodeOf(w, isRouter(w) ? 'router' : 'sidecar', ports.get(w), mesh.config));
}

function impliedGatewayNodes(mesh: Mesh, pods: boolean): ProxyNode[] {
  const present = pods ? mesh.workloads : mesh.workloads.filter((w) => w.kind !== 'Pod');
  return impliedGateways(mesh, present).map((w) => proxyNodeOf(w, 'router', undefined, mesh.config));
}

function clientNode(mesh: Mesh): ProxyNode {
  const client = impliedClient(mesh);
  return proxyNodeOf(client, 'sidecar', httpProxyPorts([client], mesh.config).get(client), mesh.config);
}

/**
 * The proxies that run on a host: a sidecar for each local workload, a router for each that Gateways select, the implied gateways, and
 * the implied client when there is no sidecar; inside a pod its own alone, and nothing implied. Unchanged ones are the same objects from one mesh to the next of the same routing.
 */
export function proxiesOf(mesh: Mesh, host: Host): ProxyNode[] {
  const nodes = nodesOf(
    mesh.workloads.filter((w) => isLocal(w, host)),
    mesh,
  );
  if (host.pods === 'own') return nodes.filter((n) => n.workload.kind === 'Pod');
  const client = nodes.some((n) => n.type === 'sidecar') ? [] : [clientNode(mesh)];
  return [...nodes, ...impliedGatewayNodes(mesh, host.pods !== 'none'), ...client];
}

/** The proxies of the pods that are chosen, each in a network of its own, as the agents in them run them. */
export function podProxies(mesh: Mesh, chosen: (pod: Workload) => boolean): ProxyNode[] {
  return mesh.workloads.filter((w) => w.kind === 'Pod' && isRunning(w) && chosen(w)).flatMap((pod) => nodesOf([pod], mesh));
}

/** A pod that a Deployment or the like will make, for asking what its proxy would get. */
function templateNode(template: WorkloadTemplate, mesh: Mesh): ProxyNode {
  const { name, namespace, labels, annotations, serviceAccount, ports, resource } = template;
  const workload: Workload = {
    name,
    namespace,
    kind: 'Pod',
    labels,
    annotations,
    addresses: [],
    serviceAccount,
    locality: { region: '', zone: '', subzone: '' },
    network: '',
    nodeName: '',
    workloadName: name,
    ports,
    resource,
  };
  return nodesOf([workload], mesh)[0] as ProxyNode;
}

/** What tells hosts apart offline: pods by node, entries by address; all that is local to `here`, or to any machine, is one host. */
function hostKey(workload: Workload, here: Host | undefined): string {
  if (here !== undefined && isLocal(workload, here)) return 'here';
  if (workload.kind === 'Pod') return `node ${workload.nodeName}`;
  const [address = ''] = workload.addresses;
  return isOwnAddress(address) ? 'here' : address;
}

function allNodes(mesh: Mesh, here: Host | undefined): ProxyNode[] {
  const hosts = Map.groupBy(mesh.workloads.filter(isRunning), (w) => hostKey(w, here));
  return [...[...hosts.values()].flatMap((workloads) => nodesOf(workloads, mesh)), ...impliedGatewayNodes(mesh, true), clientNode(mesh)];
}

/** What a proxy can be called by: its name, its owner's (Deployment and the like). */
function matches(node: ProxyNode, name: string, namespace: string | undefined): 'name' | 'owner' | undefined {
  if (namespace !== undefined && node.namespace !== namespace) return undefined;
  if (node.name === name) return 'name';
  return node.workload.workloadName === name ? 'owner' : undefined;
}

/** The best of `nodes` by one reading of a name; several that only differ in their pods are as good as one. */
function pick(nodes: readonly ProxyNode[], name: string, namespace: string | undefined): readonly ProxyNode[] {
  const named = nodes.filter((n) => matches(n, name, namespace) === 'name');
  if (named.length > 0) return named;
  const owned = new Map<string, ProxyNode>();
  for (const node of nodes) if (matches(node, name, namespace) === 'owner' && !owned.has(node.namespace)) owned.set(node.namespace, node);
  return [...owned.values()];
}

const fullName = (node: ProxyNode): string => `${node.name}.${node.namespace}`;

/** Every proxy of the mesh: those of running workloads, the implied ones, and one for each Deployment or the like whose pods are not known. */
export function everyProxy(mesh: Mesh, here?: Host): ProxyNode[] {
  const running = allNodes(mesh, here);
  const known = new Set(running.flatMap((n) => [`${n.workload.workloadName}.${n.namespace}`, fullName(n)]));
  const planned = mesh.workloadTemplates.filter((t) => !known.has(`${t.name}.${t.namespace}`)).map((t) => templateNode(t, mesh));
  return [...running, ...planned];
}

/**
 * Finds a proxy of the mesh by `NAME[.NAMESPACE]`: a WorkloadEntry or Pod, its owner (a pod of that Deployment), an implied gateway or
 * client, or a Deployment whose pods are not known. It is the very proxy that runs on that host. Without exactly one such proxy, the
 * names to choose from (all when nothing matches).
 *
 * Explicit proxy ports are counted host by host. Without `here`, workloads share a host when they have an address (or node) in common;
 * with it, those that are local to that host do so as well, as for the agent that runs there.
 */
export function findProxy(mesh: Mesh, name: string, here?: Host): ProxyNode | { candidates: string[] } {
  const nodes = everyProxy(mesh, here);
  const dot = name.lastIndexOf('.');
  // Names may have dots themselves: the whole is tried first.
  const readings: [string, string | undefined][] = [[name, undefined]];
  if (dot > 0) readings.push([name.slice(0, dot), name.slice(dot + 1)]);
  for (const [base, namespace] of readings) {
    const found = pick(nodes, base, namespace);
    if (found.length === 1) return found[0] as ProxyNode;
    // An implied proxy gives way to a real one of its name.
    const real = found.filter((n) => n.workload.kind !== 'implied');
    if (real.length === 1) return real[0] as ProxyNode;
    if (found.length > 1) return { candidates: found.map(fullName).sort() };
  }
  return { candidates: [...new Set(nodes.map(fullName))].sort() };
}
