import type { Problem } from '../errors.ts';
import { type Entry, meshConfigEntries } from './collect-objects.ts';
import type { TextSource } from './document-source.ts';
import type { MeshConfig } from './kinds/mesh-config.ts';
import { type FieldPath, formatPosition, originOf, type Position, type Resource } from './resource.ts';
import { parseDocument } from './yaml/parse-document.ts';

/** What texts hold. With an error among the problems nothing of it is to be applied. */
export interface ParseResult {
  resources: Resource[];
  problems: Problem[];
  /** The last one found: of a ConfigMap `istio`, key `mesh`, or of a MeshConfig file. */
  meshConfig: MeshConfig | undefined;
  /** Where `meshConfig` stands. */
  meshConfigSource: TextSource | undefined;
  /** Objects of kinds that a mesh does not read, counted by `group/version/Kind` (`v1/Kind` for the core group). */
  skipped: Map<string, number>;
}

interface Skipped {
  count: number;
  /** Of the first one. */
  source: TextSource;
  path: FieldPath;
}

interface Merge extends ParseResult {
  /** The first object of each identity, to name both places when there is a second. */
  seen: Map<string, Resource>;
  kinds: Map<string, Skipped>;
}

/** Puts together what documents hold, in order; objects of all of them must differ in kind, namespace or name. */
export function mergeDocuments(documents: Iterable<readonly Entry[]>): ParseResult {
  const merge: Merge = {
    resources: [],
    problems: [],
    meshConfig: undefined,
    meshConfigSource: undefined,
    skipped: new Map(),
    seen: new Map(),
    kinds: new Map(),
  };
  for (const entries of documents) for (const entry of entries) take(entry, merge);
  const { resources, problems, meshConfig, meshConfigSource, skipped } = merge;
  for (const [name, { count, source, path }] of merge.kinds) {
    problems.push(skippedWarning(name, count, source.positionOf(path)));
    skipped.set(name, count);
  }
  return { resources, problems, meshConfig, meshConfigSource, skipped };
}

function take(entry: Entry, merge: Merge): void {
  switch (entry.type) {
    case 'problem':
      merge.problems.push(entry.problem);
      break;
    case 'resource':
      keep(entry, merge);
      break;
    case 'skipped': {
      const { name, source, path } = entry;
      const known = merge.kinds.get(name);
      if (known === undefined) merge.kinds.set(name, { count: 1, source, path });
      else known.count++;
      break;
    }
    case 'mesh-config':
      merge.meshConfig = entry.config;
      merge.meshConfigSource = entry.source;
      break;
  }
}

function keep({ resource, identity, source, yields }: Extract<Entry, { type: 'resource' }>, merge: Merge): void {
  const { group, kind, metadata } = resource;
  const earlier = merge.seen.get(identity);
  if (earlier !== undefined && yields) return;
  if (earlier !== undefined && metadata.name !== '') {
    const origin = originOf(resource);
    merge.problems.push({
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
  merge.seen.set(identity, resource);
  merge.resources.push(resource);
  if (kind === 'ConfigMap' && group === '' && metadata.name === 'istio') readMeshKey(resource, source, merge);
}

const nameAt = (source: { positionOf(path: FieldPath): Position }): Position => source.positionOf(['metadata', 'name']);

function readMeshKey(resource: Resource, source: TextSource, merge: Merge): void {
  const data = (resource.spec as { data?: unknown }).data;
  const text = isMap(data) && Object.hasOwn(data, 'mesh') ? data['mesh'] : undefined;
  if (typeof text !== 'string') return;
  const inner = source.embedded(['data', 'mesh'], text);
  const outcome = parseDocument(text);
  if (outcome.ok) {
    if (outcome.value !== null) for (const entry of meshConfigEntries(outcome.value, inner)) take(entry, merge);
    return;
  }
  const { reason, rule, offset } = outcome.failure;
  const message = `\`data.mesh\` is not YAML: ${reason}`;
  merge.problems.push({ severity: 'error', rule, message, position: inner.at(offset), origin: originOf(resource), path: 'data.mesh' });
}

const isMap = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Once for all objects of a kind. */
function skippedWarning(name: string, count: number, position: Position): Problem {
  const message =
    count === 1
      ? `one object of kind ${name} is left out: a mesh does not read it`
      : `${count} objects of kind ${name} are left out: a mesh does not read them`;
  return { severity: 'warning', rule: 'kind/skipped', message, position };
}
