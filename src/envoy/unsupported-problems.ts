import type { FieldPath, Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { problemAt } from '../mesh/problem.ts';
import type { Mesh } from '../mesh/types.ts';
import { getOrMake } from './get-or-make.ts';
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

function problemsOf(resource: Resource): Problem[] {
  const out: Problem[] = [];
  for (const entry of byKind.get(resource.kind) ?? []) {
    const paths: FieldPath[] = [];
    if (entry.path === undefined) paths.push([]);
    else find({ metadata: resource.metadata, spec: resource.spec }, entry.path, 0, [], entry, paths);
    const field = entry.path?.filter((p) => p !== '*' && p !== 'spec' && p !== 'metadata').join('.');
    for (const path of paths) {
      out.push(
        problemAt(resource, path, {
          severity: entry.severity,
          rule: `unsupported/${resource.kind}${field ? `.${field}` : ''}`,
          message: `${field ? field : resource.kind} is not acted on: ${entry.reason}`,
        }),
      );
    }
  }
  return out;
}

const made = new WeakMap<readonly Resource[], readonly Problem[]>();

/** Everything in a mesh's resources that no proxy's config carries out, each with its position. Worked out once for a mesh. */
export function unsupportedProblems(mesh: Pick<Mesh, 'resources'>): readonly Problem[] {
  return getOrMake(made, mesh.resources, () => mesh.resources.flatMap(problemsOf));
}
