import { fullHost } from '../../analysis/model/hosts.ts';
import { originOf } from '../../config/resource.ts';
import type { MeshIndex, Place } from './mesh-index.ts';
import type { Reference } from './target.ts';
import { hostTarget } from './target.ts';

/** A name that a field can take. */
export interface NameCandidate {
  readonly name: string;
  readonly detail: string | undefined;
}

const LOCAL = '.svc.cluster.local';

/** The names that a reference can have, nearest first: those of its own namespace, then those of others. */
export function nameCandidates(index: MeshIndex, reference: Omit<Reference, 'value'>): NameCandidate[] {
  const { role, path, namespace, textAt } = reference;
  const beside = (name: string): string | undefined => textAt([...path.slice(0, -1), name]);
  switch (role) {
    case 'host':
      return hostNames(index, namespace);
    case 'scoped-host':
      return [
        ...['./*', '*/*', 'istio-system/*'].map((name) => ({ name, detail: undefined })),
        ...[...index.all('host')].flatMap(([host, places]) => places.map((place) => scopedHost(host, place))),
      ];
    case 'subset': {
      const host = beside('host');
      if (host === undefined) return [];
      const prefix = `${fullHost(namespace, host)} `;
      const subsets = [...index.all('subset')].filter(([key]) => key.startsWith(prefix));
      return subsets.map(([key, places]) => ({ name: key.slice(prefix.length), detail: detailOf(places) }));
    }
    case 'port':
      return portNumbers(index, namespace, hostAbove(reference));
    case 'gateway':
      return [...objectNames(index, 'gateway', namespace), { name: 'mesh', detail: 'every sidecar' }];
    case 'delegate':
      return objectNames(index, 'virtual-service', beside('namespace') ?? namespace, false);
    case 'secret':
      return objectNames(index, 'secret', namespace, false);
    case 'parent':
      return objectNames(index, 'k8s-gateway', beside('namespace') ?? namespace, false);
    case 'backend': {
      const own = `.${beside('namespace') ?? namespace}${LOCAL}`;
      const services = [...index.all('host')].filter(([host]) => host.endsWith(own));
      return services.map(([host, places]) => ({ name: host.slice(0, -own.length), detail: detailOf(places) }));
    }
    case 'scope':
      return [{ name: '.', detail: 'this namespace' }, { name: '*', detail: 'every namespace' }, ...namespaces(index)];
    case 'namespace':
      return namespaces(index);
  }
}

const detailOf = (places: readonly Place[]): string | undefined => (places[0] === undefined ? undefined : originOf(places[0].resource));

const namespaces = (index: MeshIndex): NameCandidate[] =>
  [...index.namespaces].sort().map((name) => ({ name, detail: index.all('namespace').has(name) ? 'Namespace' : undefined }));

/** Short names of the own namespace, full names of all. */
function hostNames(index: MeshIndex, namespace: string): NameCandidate[] {
  const own = `.${namespace}${LOCAL}`;
  const short: NameCandidate[] = [];
  const full: NameCandidate[] = [];
  for (const [host, places] of index.all('host')) {
    const isOwn = host.endsWith(own) && places[0]?.resource.kind === 'Service';
    if (isOwn) short.push({ name: host.slice(0, -own.length), detail: detailOf(places) });
    full.push({ name: host, detail: detailOf(places) });
  }
  return [...short, ...full];
}

/** `namespace/host`, where the object that declares it is. */
const scopedHost = (host: string, { resource }: Place): NameCandidate => ({
  name: `${resource.metadata.namespace}/${host}`,
  detail: originOf(resource),
});

/** Objects of the own namespace by name, those of others as `namespace/name`. */
function objectNames(index: MeshIndex, sort: string, namespace: string, others = true): NameCandidate[] {
  const own: NameCandidate[] = [];
  const far: NameCandidate[] = [];
  for (const [name, places] of index.all(sort)) {
    if (name.startsWith(`${namespace}/`)) own.push({ name: name.slice(namespace.length + 1), detail: detailOf(places) });
    else if (others) far.push({ name, detail: detailOf(places) });
  }
  return [...own, ...far];
}

/** The host that a port's number belongs to: of the destination around it, or of the rule. */
function hostAbove({ path, textAt }: Omit<Reference, 'value'>): string | undefined {
  return textAt([...path.slice(0, -2), 'host']) ?? textAt(['spec', 'host']);
}

function portNumbers(index: MeshIndex, namespace: string, host: string | undefined): NameCandidate[] {
  if (host === undefined) return [];
  return index.declarations(hostTarget(namespace, host)).flatMap(({ resource }) => {
    const { ports } = resource.spec as { ports?: { port?: number; number?: number; name?: string }[] };
    if (!Array.isArray(ports)) return [];
    return ports.flatMap((port) => {
      const number = port?.port ?? port?.number;
      return number === undefined ? [] : [{ name: String(number), detail: port.name }];
    });
  });
}
