import type { Problem } from '../errors.ts';
import type { TextSource } from './document-source.ts';
import type { KindIndex } from './kind-index.ts';
import type { MeshConfig } from './kinds/mesh-config.ts';
import { readMeshConfig } from './mesh-config-document.ts';
import { type FieldPath, formatPath, formatPosition, originOf, type Position, type Resource } from './resource.ts';
import { validate } from './validate.ts';
import { describeValue } from './validation/describe-value.ts';
import { parseDocument } from './yaml/parse-document.ts';

/** What documents hold, so far. */
export interface Collection {
  readonly kinds: KindIndex;
  /** Where namespaced objects are that do not say. */
  readonly namespace: string;
  readonly resources: Resource[];
  readonly problems: Problem[];
  /** Objects of kinds that a mesh does not read, by `apiVersion/Kind`, and the first of each. */
  readonly skipped: Map<string, { count: number; source: TextSource; path: FieldPath }>;
  meshConfig: MeshConfig | undefined;
  meshConfigSource: TextSource | undefined;
  /** The first object of each identity, to name both places when there is a second. */
  readonly seen: Map<string, Resource>;
}

/** An empty collection. */
export function createCollection(kinds: KindIndex, namespace: string): Collection {
  return {
    kinds,
    namespace,
    resources: [],
    problems: [],
    skipped: new Map(),
    meshConfig: undefined,
    meshConfigSource: undefined,
    seen: new Map(),
  };
}

type Item = Record<string, unknown>;

const isMap = (value: unknown): value is Item => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Reads the object of one document, or the objects of its List, into the collection. */
export function collectObjects(value: unknown, source: TextSource, collection: Collection): void {
  collect(value, { source, at: [], collection });
}

/** Reads a document that holds a MeshConfig: bare, or inside a ConfigMap `istio`. */
export function collectMeshConfig(value: unknown, source: TextSource, collection: Collection): void {
  if (isMap(value) && Object.hasOwn(value, 'kind') && Object.hasOwn(value, 'apiVersion')) collectObjects(value, source, collection);
  else setMeshConfig(value, source, collection);
}

interface Place {
  readonly source: TextSource;
  /** Where the object is in its document: empty, or `items[3]`. */
  readonly at: FieldPath;
  readonly collection: Collection;
  /** What the items of a typed list are, which need not say so themselves. */
  readonly inherited?: { apiVersion: string; kind: string } | undefined;
}

function fail({ source, at, collection }: Place, path: FieldPath, rule: string, message: string, hint?: string): void {
  const full = [...at, ...path];
  collection.problems.push({
    severity: 'error',
    rule,
    message,
    ...(hint === undefined ? {} : { hint }),
    position: source.positionOf(full),
    ...(full.length === 0 ? {} : { path: formatPath(full) }),
  });
}

function collect(value: unknown, place: Place): void {
  if (!isMap(value)) {
    fail(place, [], 'kind/no-object', `an object with \`apiVersion\` and \`kind\` is expected here, not ${describeValue(value)}`);
    return;
  }
  const apiVersion = nameIn(value, 'apiVersion', place);
  const kind = nameIn(value, 'kind', place);
  if (apiVersion === undefined || kind === undefined) return;
  if (kind.endsWith('List') && (apiVersion === 'v1' || Array.isArray(value['items']))) collectList(value, apiVersion, kind, place);
  else collectOne(value, apiVersion, kind, place);
}

function nameIn(value: Item, field: 'apiVersion' | 'kind', place: Place): string | undefined {
  const found = Object.hasOwn(value, field) ? value[field] : place.inherited?.[field];
  if (typeof found === 'string' && found !== '') return found;
  if (found === undefined || found === null || found === '')
    fail(place, [], 'kind/missing', `the object has no \`${field}\``, missingHint(value));
  else fail(place, [field], 'schema/type', `\`${field}\` must be a string, not ${describeValue(found)}`);
  return undefined;
}

function missingHint(value: Item): string | undefined {
  if (Object.hasOwn(value, 'Kind') || Object.hasOwn(value, 'apiversion')) return 'Names of fields are case-sensitive: `apiVersion`, `kind`';
  if (Object.hasOwn(value, 'apiVersion') || Object.hasOwn(value, 'kind') || Object.hasOwn(value, 'metadata')) return undefined;
  return 'Every document of the configuration begins with `apiVersion` and `kind`; keep other files elsewhere';
}

function collectList(value: Item, apiVersion: string, kind: string, place: Place): void {
  const items = value['items'] ?? [];
  if (!Array.isArray(items)) {
    fail(place, ['items'], 'schema/type', `\`items\` must be a list, not ${describeValue(items)}`);
    return;
  }
  const of = kind.slice(0, -'List'.length);
  const inherited = of === '' ? undefined : { apiVersion, kind: of };
  for (const [i, item] of items.entries()) collect(item, { ...place, at: [...place.at, 'items', i], inherited });
}

function collectOne(value: Item, apiVersion: string, kind: string, place: Place): void {
  const { source, at, collection } = place;
  const match = collection.kinds.match(apiVersion, kind);
  if (match.type === 'mistaken') {
    fail(place, [match.at], 'kind/unknown', match.message, match.hint);
  } else if (match.type === 'foreign') {
    const name = `${apiVersion}/${kind}`;
    const skipped = collection.skipped.get(name);
    if (skipped === undefined) collection.skipped.set(name, { count: 1, source, path: [...at, 'kind'] });
    else skipped.count++;
  } else {
    const own = at.length === 0 ? source : source.within(at);
    keep(
      validate({ value, kind: match.kind, apiVersion, version: match.version }, own, collection.namespace, collection.problems),
      own,
      collection,
    );
  }
}

function keep(resource: Resource, source: TextSource, collection: Collection): void {
  const { group, kind, metadata } = resource;
  const identity = `${group}/${kind}/${metadata.namespace}/${metadata.name}`;
  const earlier = collection.seen.get(identity);
  if (earlier !== undefined && metadata.name !== '') {
    const origin = originOf(resource);
    collection.problems.push({
      severity: 'error',
      rule: 'config/duplicate',
      message: `${origin} is there twice; the first is at ${formatPosition(nameAt(earlier.source))}`,
      hint: 'Remove one of them, or give it another name',
      position: nameAt(source),
      origin,
      path: 'metadata.name',
    });
    return;
  }
  collection.seen.set(identity, resource);
  collection.resources.push(resource);
  if (kind === 'ConfigMap' && group === '' && metadata.name === 'istio') readMeshKey(resource, source, collection);
}

const nameAt = (source: { positionOf(path: FieldPath): Position }): Position => source.positionOf(['metadata', 'name']);

function readMeshKey(resource: Resource, source: TextSource, collection: Collection): void {
  const data = (resource.spec as { data?: unknown }).data;
  const text = isMap(data) && Object.hasOwn(data, 'mesh') ? data['mesh'] : undefined;
  if (typeof text !== 'string') return;
  const inner = source.embedded(['data', 'mesh'], text);
  const outcome = parseDocument(text);
  if (outcome.ok) {
    if (outcome.value !== null) setMeshConfig(outcome.value, inner, collection);
    return;
  }
  const { reason, rule, offset } = outcome.failure;
  const message = `\`data.mesh\` is not YAML: ${reason}`;
  collection.problems.push({ severity: 'error', rule, message, position: inner.at(offset), origin: originOf(resource), path: 'data.mesh' });
}

function setMeshConfig(value: unknown, source: TextSource, collection: Collection): void {
  collection.meshConfig = readMeshConfig(value, source, collection.problems);
  collection.meshConfigSource = source;
}
