import type { Problem } from '../errors.ts';
import type { TextSource } from './document-source.ts';
import type { KindIndex } from './kind-index.ts';
import type { MeshConfig } from './kinds/mesh-config.ts';
import { readMeshConfig } from './mesh-config-document.ts';
import { type FieldPath, formatPath, type Resource } from './resource.ts';
import { validate } from './validate.ts';
import { describeValue } from './validation/describe-value.ts';

/** One thing that a document holds. */
export type Entry =
  | { type: 'problem'; problem: Problem }
  /** `identity` is what no two objects may have in common; one that `yields` is left out where there is another. */
  | { type: 'resource'; resource: Resource; identity: string; source: TextSource; yields?: true }
  /** An object of a kind that a mesh does not read; `name` is `apiVersion/Kind`. */
  | { type: 'skipped'; name: string; source: TextSource; path: FieldPath }
  | { type: 'mesh-config'; config: MeshConfig; source: TextSource };

/** What one document holds, in order. It follows from the document alone: what several of them say together is for `mergeDocuments`. */
export interface Contents {
  readonly kinds: KindIndex;
  /** Where namespaced objects are that do not say. */
  readonly namespace: string;
  readonly entries: Entry[];
}

type Item = Record<string, unknown>;

const isMap = (value: unknown): value is Item => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Reads the object of one document, or the objects of its List. */
export function collectObjects(value: unknown, source: TextSource, contents: Contents): void {
  collect(value, { source, at: [], contents });
}

/** Reads a document that holds a MeshConfig: bare, or inside a ConfigMap `istio`. */
export function collectMeshConfig(value: unknown, source: TextSource, contents: Contents): void {
  if (isMap(value) && Object.hasOwn(value, 'kind') && Object.hasOwn(value, 'apiVersion')) collectObjects(value, source, contents);
  else contents.entries.push(...meshConfigEntries(value, source));
}

/** A MeshConfig and what is wrong with it. */
export function meshConfigEntries(value: unknown, source: TextSource): Entry[] {
  const problems: Problem[] = [];
  const config = readMeshConfig(value, source, problems);
  return [...problems.map((problem): Entry => ({ type: 'problem', problem })), { type: 'mesh-config', config, source }];
}

interface Place {
  readonly source: TextSource;
  /** Where the object is in its document: empty, or `items[3]`. */
  readonly at: FieldPath;
  readonly contents: Contents;
  /** What the items of a typed list are, which need not say so themselves. */
  readonly inherited?: { apiVersion: string; kind: string } | undefined;
}

function fail({ source, at, contents }: Place, path: FieldPath, rule: string, message: string, hint?: string): void {
  const full = [...at, ...path];
  const problem: Problem = {
    severity: 'error',
    rule,
    message,
    ...(hint === undefined ? {} : { hint }),
    position: source.positionOf(full),
    ...(full.length === 0 ? {} : { path: formatPath(full) }),
  };
  contents.entries.push({ type: 'problem', problem });
}

function collect(value: unknown, place: Place): void {
  if (!isMap(value)) {
    fail(place, [], 'kind/no-object', `an object with \`apiVersion\` and \`kind\` is expected here, not ${describeValue(value)}`);
    return;
  }
  if (!place.inherited && !isNamed(value, 'apiVersion') && !isNamed(value, 'kind')) {
    // One thing is wrong, not two: some other program's file, or the beginning is gone.
    fail(place, [], 'kind/missing', 'this is no object of a mesh: it has neither `apiVersion` nor `kind`', missingHint(value));
    return;
  }
  const apiVersion = nameIn(value, 'apiVersion', place);
  const kind = nameIn(value, 'kind', place);
  if (apiVersion === undefined || kind === undefined) return;
  if (kind.endsWith('List') && (apiVersion === 'v1' || Array.isArray(value['items']))) collectList(value, apiVersion, kind, place);
  else collectOne(value, apiVersion, kind, place);
}

function isNamed(value: Item, field: 'apiVersion' | 'kind'): boolean {
  return Object.hasOwn(value, field) && value[field] !== null && value[field] !== '';
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
  return 'Every document of the configuration begins with `apiVersion` and `kind`; keep other files elsewhere, or add `--ignore-unknown` to `analyze`';
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
  const { source, at, contents } = place;
  const match = contents.kinds.match(apiVersion, kind);
  if (match.type === 'mistaken') {
    fail(place, [match.at], 'kind/unknown', match.message, match.hint);
  } else if (match.type === 'foreign') {
    contents.entries.push({ type: 'skipped', name: `${apiVersion}/${kind}`, source, path: [...at, 'kind'] });
  } else {
    const own = at.length === 0 ? source : source.within(at);
    const problems: Problem[] = [];
    const resource = validate({ value, kind: match.kind, apiVersion, version: match.version }, own, contents.namespace, problems);
    for (const problem of problems) contents.entries.push({ type: 'problem', problem });
    const { group, metadata } = resource;
    const identity = `${group}/${kind}/${metadata.namespace}/${metadata.name}`;
    contents.entries.push({ type: 'resource', resource, identity, source: own });
  }
}
