/**
 * Services of several clusters: one namespace and name is one service everywhere, with the endpoints of all.
 * https://istio.io/latest/docs/ops/deployment/deployment-models/#multiple-clusters, Istio's aggregate registry (pilot/pkg/serviceregistry/aggregate).
 */
import { type Resource, remoteId } from '../config/resource.ts';
import { mostSpecific } from './host-match.ts';
import { getOrMake } from './memo.ts';
import { type RegistryMemo, sameItems } from './model-memo.ts';
import { problemAt, type Report } from './problem.ts';
import type { ResolvedMeshConfig, Service, ServicePort } from './types.ts';

/** The cluster that a service is of, by what tells clusters apart; empty for the own one. */
const clusterOf = (service: Service): string => (service.registry === 'Kubernetes' ? remoteId(service.resource) : '');

/**
 * Whether clients reach the endpoints of their own cluster alone: `serviceSettings`, the most specific host first, and the API server's own
 * service and all of kube-system unless a setting says otherwise.
 */
function clusterLocal({ domain, serviceSettings = [] }: ResolvedMeshConfig): (host: string) => boolean {
  const byHost = new Map([
    [`kubernetes.default.svc.${domain}`, true],
    [`*.kube-system.svc.${domain}`, true],
  ]);
  for (const { settings, hosts = [] } of serviceSettings)
    for (const host of hosts) byHost.set(host.toLowerCase(), settings?.clusterLocal ?? false);
  return (host) => mostSpecific(byHost, host) ?? false;
}

/** Gives the services with those of several clusters made one; for the rest the same objects. The own cluster's, else the first one's by name, says what a service is. */
export function mergeClusters(
  services: readonly Service[],
  config: ResolvedMeshConfig,
  memo: RegistryMemo,
  report: Report,
): readonly Service[] {
  if (services.every((service) => clusterOf(service) === '')) return services;
  const isLocal = clusterLocal(config);
  const byHost = new Map<string, Service[]>();
  for (const service of services) {
    // Names for names mean something in their own cluster only.
    const apart = clusterOf(service) !== '' && (service.resolution === 'alias' || isLocal(service.host));
    if (service.registry === 'Kubernetes' && !apart) getOrMake(byHost, service.host, () => []).push(service);
  }
  const instead = new Map<Service, Service>();
  const taken = new Set(services.filter((service) => clusterOf(service) === '').flatMap(({ addresses }) => addresses));
  for (const parts of byHost.values()) {
    parts.sort((a, b) => (clusterOf(a) < clusterOf(b) ? -1 : 1));
    const lead = parts[0] as Service;
    const merged = lead.resolution === 'alias' ? [lead] : parts;
    for (const part of merged.slice(1)) reportDifferences(lead, part, report);
    instead.set(lead, merged.length === 1 ? lead : united(merged, memo));
  }
  const out = services.flatMap((service) => (service.registry === 'Kubernetes' ? (instead.get(service) ?? []) : service));
  return out.map((service) => withOwnAddresses(service, taken, memo));
}

/** Clusters give their services addresses without asking each other: one that another service has already means that one. */
function withOwnAddresses(service: Service, taken: Set<string>, memo: RegistryMemo): Service {
  if (clusterOf(service) === '') return service;
  const free = service.addresses.filter((address) => !taken.has(address));
  for (const address of free) taken.add(address);
  if (free.length === service.addresses.length) return service;
  const copies = getOrMake(memo.derived, service, () => new Map<string, Service>());
  return getOrMake(copies, `addresses ${free.join()}`, () => {
    const copy = { ...service, addresses: free };
    memo.parts.set(copy, memo.parts.get(service) ?? [service]);
    return copy;
  });
}

function united(parts: readonly Service[], memo: RegistryMemo): Service {
  const [lead] = parts as [Service];
  const known = getOrMake(memo.united, lead, () => []);
  let found = known.find((u) => sameItems(memo.parts.get(u)!, parts));
  if (found === undefined) {
    found = { ...lead };
    memo.parts.set(found, parts);
    known.push(found);
  }
  return found;
}

/** The port of a part that is meant by one of the whole: the one of its name, as endpoints are found, too. */
export function portOfPart(part: Service, port: ServicePort): ServicePort | undefined {
  if (part.ports.includes(port)) return port;
  return part.ports.find((p) => (part.registry === 'Kubernetes' ? p.name === port.name : p.number === port.number));
}

/** A service is called as its first cluster has it; what another one has otherwise is told there. */
function reportDifferences(lead: Service, part: Service, report: Report): void {
  const say = (resource: Resource, field: string, message: string, hint: string): void =>
    report(problemAt(resource, ['spec', field], { severity: 'warning', rule: 'service/cluster-conflict', message, hint }));
  const first = lead.resource.source.file;
  const told = (ports: Service['ports']): string => ports.map((p) => `${p.name || 'unnamed'} ${p.number}`).join(', ') || 'none';
  const missing = lead.ports.filter((port) => portOfPart(part, port) === undefined);
  const moved = lead.ports.filter((port) => {
    const own = portOfPart(part, port);
    return own !== undefined && (own.number !== port.number || own.protocol !== port.protocol);
  });
  const more = part.ports.filter((port) => !lead.ports.some((p) => p.name === port.name));
  if (missing.length + moved.length + more.length > 0)
    say(
      part.resource,
      'ports',
      `the ports of ${lead.host} differ between clusters: ${told(part.ports)} here, ${told(lead.ports)} in ${first}, which count; ports are matched by name${
        missing.length > 0 ? `, so that ${missing.map((p) => p.name || `${p.number}`).join(', ')} has no endpoints here` : ''
      }`,
      'give the Service the same ports in all clusters',
    );
  if (lead.headless !== part.headless)
    say(
      part.resource,
      'clusterIP',
      `${lead.host} is ${part.headless ? 'headless' : 'not headless'} here, and ${lead.headless ? 'headless' : 'not headless'} in ${first}, which counts`,
      'make the Service the same in all clusters',
    );
}
