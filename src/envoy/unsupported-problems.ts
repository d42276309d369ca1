import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import { type FieldPath, formatPath, type Resource, type Source } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { GATEWAY_API } from '../mesh/gateway-api/objects.ts';
import { getOrMake } from '../mesh/memo.ts';
import { type ProblemText, problemAt } from '../mesh/problem.ts';
import type { Mesh } from '../mesh/types.ts';
import { UNSUPPORTED, type UnsupportedEntry } from './unsupported.ts';

const byKind: ReadonlyMap<string, readonly UnsupportedEntry[]> = Map.groupBy(UNSUPPORTED, (e) => e.kind);

const goOn = 'run with --allow-unenforced to go on without it';

/** Nothing is asked for: the field's default, or an empty block. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The paths at which `pattern` finds something that an entry is about. */
function find(
  value: unknown,
  pattern: readonly string[],
  at: number,
  path: (string | number)[],
  entry: UnsupportedEntry,
  out: FieldPath[],
): void {
  if (at === pattern.length) {
    const bare = typeof value === 'string' ? value.trim() : value;
    if (entry.values ? entry.values.includes(value) : !isEmpty(bare) && !entry.nothing?.includes(bare)) out.push([...path]);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const key = pattern[at]!;
  const keys = key === '*' ? (Array.isArray(value) ? value.keys() : Object.keys(value)) : Object.hasOwn(value, key) ? [key] : [];
  for (const k of keys) {
    path.push(k);
    find((value as Record<string | number, unknown>)[k], pattern, at + 1, path, entry, out);
    path.pop();
  }
}

function isHarmless({ harmless }: UnsupportedEntry, object: unknown): boolean {
  return (harmless?.where ?? []).some(({ path, values }) => values.includes(path.reduce<unknown>(member, object)));
}

function member(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}

/** What entries find in one object of a kind: the text of each problem, and where it is. */
function findings(kind: string, object: unknown, entries: readonly UnsupportedEntry[]): { text: ProblemText; path: FieldPath }[] {
  const out: { text: ProblemText; path: FieldPath }[] = [];
  for (const entry of entries) {
    const paths: FieldPath[] = [];
    if (entry.path === undefined) paths.push(['spec']);
    else find(object, entry.path, 0, [], entry, paths);
    if (paths.length === 0) continue;
    const field = entry.path?.filter((p) => p !== '*' && p !== 'spec' && p !== 'metadata').join('.');
    const harmless = isHarmless(entry, object);
    const severity = harmless ? 'warning' : entry.severity;
    const text = {
      severity,
      rule: `unsupported/${kind}${field ? `.${field}` : ''}`,
      message: `${field || kind} is not acted on: ${harmless ? entry.harmless!.reason : entry.reason}`,
      ...(severity === 'error' && { hint: goOn }),
    };
    for (const path of paths) out.push({ text, path });
  }
  return out;
}

const none: readonly UnsupportedEntry[] = [];

const byResource = new WeakMap<Resource, readonly Problem[]>();

function problemsOf(resource: Resource): readonly Problem[] {
  return getOrMake(byResource, resource, findProblems);
}

function findProblems(resource: Resource): Problem[] {
  const { group, kind, metadata, spec } = resource;
  const found = byKind.get(kind) ?? none;
  const isOfGroup = (e: UnsupportedEntry): boolean => (e.group === GATEWAY_API) === (group === GATEWAY_API);
  const entries = found.filter((e) => isOfGroup(e) && (e.name === undefined || e.name === metadata.name));
  if (entries.length === 0) return [];
  return findings(kind, { metadata, spec }, entries).map(({ text, path }) => problemAt(resource, path, text));
}

/**
 * What of the mesh's settings no proxy's config carries out.
 *
 * @param source where the settings stand; without it the problems have no position
 */
export function meshConfigProblems(config: MeshConfig, source?: Source): Problem[] {
  return findings('MeshConfig', config, byKind.get('MeshConfig') ?? none).map(({ text, path }) => ({
    ...text,
    origin: 'MeshConfig',
    path: formatPath(path),
    ...(source && { position: source.positionOf(path) }),
  }));
}

const made = new WeakMap<readonly Resource[], readonly Problem[]>();

/** Everything in a mesh's resources and settings that no proxy's config carries out, with its position. Worked out once for a mesh. */
export function unsupportedProblems(mesh: Pick<Mesh, 'resources' | 'config' | 'configSource'>): readonly Problem[] {
  return getOrMake(made, mesh.resources, () => [
    ...mesh.resources.flatMap(problemsOf),
    ...meshConfigProblems(mesh.config, mesh.configSource),
  ]);
}
