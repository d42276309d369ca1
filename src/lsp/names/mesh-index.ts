import { fullHost } from '../../analysis/model/hosts.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { referenceFields } from './reference-fields.ts';
import { hostTarget, nameTarget, subsetTarget, type Target, targetOf } from './target.ts';

/** A field of an object. */
export interface Place {
  readonly resource: Resource;
  readonly at: FieldPath;
}

/** Where names of a configuration stand: those that are declared, and those that name them. Each half is made when it is first asked for. */
export interface MeshIndex {
  /** Where a target is declared. A host that only a wildcard covers leads there; a credential to any Secret of its name. */
  declarations(target: Target): readonly Place[];
  /** Where a target is named. */
  references(target: Target): readonly Place[];
  /** Everything of one sort that is declared, as `host`: what follows in the target, and where. */
  all(sort: string): ReadonlyMap<string, readonly Place[]>;
  /** Every namespace that is declared or that an object is in. */
  readonly namespaces: ReadonlySet<string>;
  readonly resources: readonly Resource[];
}

type Places = Map<string, Place[]>;

/** An index over resources. */
export function meshIndex(resources: readonly Resource[]): MeshIndex {
  let declared: Map<string, Places> | undefined;
  let named: Places | undefined;
  let namespaces: Set<string> | undefined;
  const all = (sort: string): Places => {
    declared ??= collectDeclarations(resources);
    return declared.get(sort) ?? NONE;
  };
  const declarations = (target: Target): readonly Place[] => {
    const space = target.indexOf(' ');
    const sort = target.slice(0, space);
    const name = target.slice(space + 1);
    const exact = all(sort).get(name);
    if (exact !== undefined) return exact;
    if (sort === 'host') return coveringHost(all(sort), name);
    if (sort === 'subset') return coveringSubset(all(sort), name);
    if (sort === 'secret') return anywhere(all(sort), name);
    return [];
  };
  return {
    resources,
    declarations,
    references(target) {
      named ??= collectReferences(resources);
      return named.get(target) ?? [];
    },
    all,
    get namespaces() {
      namespaces ??= new Set(resources.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace)));
      namespaces.delete('');
      return namespaces;
    },
  };
}

const isTree = (value: unknown): value is Record<string | number, unknown> => value !== null && typeof value === 'object';

const NONE: Places = new Map();

function add(places: Places, key: string, place: Place): void {
  const list = places.get(key);
  if (list === undefined) places.set(key, [place]);
  else list.push(place);
}

const NAME: FieldPath = ['metadata', 'name'];

/** What an object declares. */
export function declaredBy(resource: Resource): { target: Target; at: FieldPath }[] {
  const { group, kind, metadata, spec } = resource;
  const { name, namespace } = metadata;
  switch (`${group}/${kind}`) {
    case 'networking.istio.io/ServiceEntry':
      return texts(spec, 'hosts').map(([i, host]) => ({ target: hostTarget(namespace, host), at: ['spec', 'hosts', i] }));
    case 'networking.istio.io/DestinationRule': {
      const { host, subsets } = spec as { host?: unknown; subsets?: unknown };
      if (typeof host !== 'string' || !Array.isArray(subsets)) return [];
      return subsets.flatMap((subset: { name?: unknown } | null, i) =>
        typeof subset?.name === 'string'
          ? [{ target: subsetTarget(fullHost(namespace, host), subset.name), at: ['spec', 'subsets', i, 'name'] }]
          : [],
      );
    }
    default: {
      const target = nameTarget(`${group}/${kind}`, namespace, name);
      return target === undefined ? [] : [{ target, at: NAME }];
    }
  }
}

function texts(spec: unknown, field: string): [number, string][] {
  const list = (spec as Record<string, unknown>)[field];
  return Array.isArray(list) ? list.flatMap((text, i): [number, string][] => (typeof text === 'string' ? [[i, text]] : [])) : [];
}

function collectDeclarations(resources: readonly Resource[]): Map<string, Places> {
  const declared = new Map<string, Places>();
  for (const resource of resources) {
    for (const { target, at } of declaredBy(resource)) {
      const space = target.indexOf(' ');
      const sort = target.slice(0, space);
      const places = declared.get(sort) ?? new Map<string, Place[]>();
      declared.set(sort, places);
      add(places, target.slice(space + 1), { resource, at });
    }
  }
  return declared;
}

function collectReferences(resources: readonly Resource[]): Places {
  const named: Places = new Map();
  for (const resource of resources) {
    const { group, kind, metadata } = resource;
    const root = { metadata, spec: resource.spec };
    const textAt = (path: FieldPath): string | undefined => {
      let value: unknown = root;
      for (const step of path) value = isTree(value) && Object.hasOwn(value, step) ? value[step] : undefined;
      return typeof value === 'string' ? value : undefined;
    };
    for (const [steps, role] of referenceFields(group, kind)) {
      visit(root, steps, 0, [], (value, path) => {
        if (typeof value !== 'string') return;
        const target = targetOf({ role, value, path, namespace: metadata.namespace, textAt });
        if (target !== undefined) add(named, target, { resource, at: path });
      });
    }
  }
  return named;
}

function visit(
  value: unknown,
  steps: readonly (string | -1)[],
  depth: number,
  path: FieldPath,
  found: (value: unknown, path: FieldPath) => void,
): void {
  if (depth === steps.length) {
    found(value, path);
    return;
  }
  const step = steps[depth]!;
  if (step === -1) {
    if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, steps, depth + 1, [...path, i], found);
  } else if (value !== null && typeof value === 'object' && Object.hasOwn(value, step)) {
    visit((value as Record<string, unknown>)[step], steps, depth + 1, [...path, step], found);
  }
}

/** The longest wildcard that covers a name: `*.example.com` for `api.example.com`. */
function coveringHost(hosts: Places, name: string): readonly Place[] {
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const found = hosts.get(`*${name.slice(dot)}`);
    if (found !== undefined) return found;
  }
  return hosts.get('*') ?? [];
}

/** A subset that a rule for a wildcard host declares. */
function coveringSubset(subsets: Places, name: string): readonly Place[] {
  const space = name.indexOf(' ');
  const host = name.slice(0, space);
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const found = subsets.get(`*${host.slice(dot)}${name.slice(space)}`);
    if (found !== undefined) return found;
  }
  return subsets.get(`*${name.slice(space)}`) ?? [];
}

/** Gateways take Secrets from the namespace they run in, which no file may tell. */
function anywhere(secrets: Places, name: string): readonly Place[] {
  const own = name.slice(name.indexOf('/'));
  return [...secrets].filter(([key]) => key.endsWith(own)).flatMap(([, places]) => places);
}
