import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import { type FieldPath, formatPath, type Resource, type Source } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { getOrMake } from '../mesh/memo.ts';
import { type ProblemText, problemAt } from '../mesh/problem.ts';
import type { Mesh } from '../mesh/types.ts';
import { UNSUPPORTED, type UnsupportedEntry } from './unsupported.ts';

const byKind: ReadonlyMap<string, readonly UnsupportedEntry[]> = Map.groupBy(UNSUPPORTED, (e) => e.kind);

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
    if (entry.values ? entry.values.includes(value) : !isEmpty(value)) out.push([...path]);
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

/** What is found in one object of a kind: the text of each problem, and where it is. */
function findings(kind: string, object: unknown): { text: ProblemText; path: FieldPath }[] {
  const out: { text: ProblemText; path: FieldPath }[] = [];
  for (const entry of byKind.get(kind) ?? []) {
    const paths: FieldPath[] = [];
    if (entry.path === undefined) paths.push([]);
    else find(object, entry.path, 0, [], entry, paths);
    const field = entry.path?.filter((p) => p !== '*' && p !== 'spec' && p !== 'metadata').join('.');
    const text = {
      severity: entry.severity,
      rule: `unsupported/${kind}${field ? `.${field}` : ''}`,
      message: `${field || kind} is not acted on: ${entry.reason}`,
    };
    for (const path of paths) out.push({ text, path });
  }
  return out;
}

function problemsOf(resource: Resource): Problem[] {
  const { kind, metadata, spec } = resource;
  if (!byKind.has(kind)) return [];
  return findings(kind, { metadata, spec }).map(({ text, path }) => problemAt(resource, path, text));
}

/**
 * What of the mesh's settings no proxy's config carries out.
 *
 * @param source where the settings stand; without it the problems have no position
 */
export function meshConfigProblems(config: MeshConfig, source?: Source): Problem[] {
  return findings('MeshConfig', config).map(({ text, path }) => ({
    ...text,
    origin: 'MeshConfig',
    path: formatPath(path),
    ...(source && { position: source.positionOf(path) }),
  }));
}

const made = new WeakMap<readonly Resource[], readonly Problem[]>();

function collect(mesh: Pick<Mesh, 'resources' | 'config' | 'problems'>): Problem[] {
  // What the model itself refused has been told already.
  const told = new Set(mesh.problems.map((p) => `${p.rule} ${p.origin}`));
  const isNew = (p: Problem, kind: string): boolean => !told.has(`${p.rule} ${p.origin}`) && !told.has(`unsupported/${kind} ${p.origin}`);
  return [...mesh.resources.flatMap((r) => problemsOf(r).filter((p) => isNew(p, r.kind))), ...meshConfigProblems(mesh.config)];
}

/**
 * Everything in a mesh's resources and settings that no proxy's config carries out, resources' with their positions, less what is
 * among the mesh's own problems. Worked out once for a mesh.
 */
export function unsupportedProblems(mesh: Pick<Mesh, 'resources' | 'config' | 'problems'>): readonly Problem[] {
  return getOrMake(made, mesh.resources, () => collect(mesh));
}
