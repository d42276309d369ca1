import type { FieldPath, Resource } from '../../config/resource.ts';
import type { HttpMatch, HttpRule } from '../types.ts';
import type { Fault } from './conditions.ts';

/** One match of one rule of a route, as the model has it: what its place among all others follows from, and where it was written. */
export interface RuleEntry {
  readonly route: Resource;
  /** Of the rule, and of the match inside; the rule's own when it has none. */
  readonly path: FieldPath;
  readonly matchPath: FieldPath;
  readonly match: HttpMatch | undefined;
  /** Without `match`. */
  readonly rule: HttpRule;
  /** Places in the route. */
  readonly at: readonly [rule: number, match: number];
}

/** What a route is translated to. */
export interface TranslatedRules {
  readonly entries: readonly RuleEntry[];
  readonly faults: readonly Fault[];
}
