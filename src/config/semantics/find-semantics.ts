import type { Kind } from '../kinds/kind.ts';
import type { Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';

/** The rules of one kind that need nothing but one object of it. The schema has been checked without errors. */
export type Semantics = (resource: Resource, report: Report) => void;

const rules: ReadonlyMap<string, Semantics> = new Map<string, Semantics>([]);

/** The rules of a kind; undefined when its schema says everything. */
export function findSemantics(kind: Kind): Semantics | undefined {
  return rules.get(`${kind.group}/${kind.kind}`);
}
