import type { Resource } from '../config/resource.ts';
import { originOf } from '../config/resource.ts';
import type { Problem } from '../errors.ts';

/** What loading found, as a finding without its words yet. */
export interface InputFinding {
  readonly code: string;
  readonly problem: Problem;
  /** The object, when it could be read that far. */
  readonly resource: Resource | undefined;
}

/** Problems that come from Istio's own rules and from what the CRDs refuse; all else is Fairlead's to say. */
const SCHEMA = 'IST0106';
const BY_RULE: readonly (readonly [string, string])[] = [
  ['file/', 'FL0001'],
  ['yaml/', 'FL0001'],
  ['kind/unknown', 'FL0003'],
  ['kind/', 'FL0001'],
  ['config/duplicate', 'FL0004'],
  ['schema/unknown-field', 'FL0002'],
  ['schema/type', 'FL0002'],
  ['schema/enum', 'FL0002'],
  ['metadata/', 'FL0002'],
];

/** Documents that are no objects of a cluster at all: what `--ignore-unknown` leaves out. */
const NO_OBJECT = ['yaml/', 'kind/no-object', 'kind/missing', 'kind/unknown', 'file/binary', 'file/encoding'];

/** The code of a problem that loading found; undefined for those that are told in the summary. */
export function codeOfProblem({ rule, severity }: Problem, group: string | undefined): string | undefined {
  if (rule === 'kind/skipped') return undefined;
  const known = BY_RULE.find(([prefix]) => rule.startsWith(prefix))?.[1];
  if (known === 'FL0002' && severity === 'warning') return 'FL0006';
  if (known !== undefined) return known;
  // Istio has rules for its own kinds only.
  if (group !== undefined && !group.endsWith('istio.io')) return 'FL0002';
  return severity === 'warning' ? 'IST0133' : SCHEMA;
}

/** What loading found, with the objects it is about. */
export function inputFindings(problems: readonly Problem[], resources: readonly Resource[], ignoreUnknown: boolean): InputFinding[] {
  if (problems.length === 0) return [];
  let byOrigin: Map<string, Resource> | undefined;
  const find = (origin: string, file: string | undefined): Resource | undefined => {
    byOrigin ??= new Map(resources.map((resource) => [`${originOf(resource)} ${resource.source.file}`, resource]));
    return byOrigin.get(`${origin} ${file}`);
  };
  return problems.flatMap((problem) => {
    if (ignoreUnknown && NO_OBJECT.some((rule) => problem.rule.startsWith(rule))) return [];
    const resource = problem.origin === undefined ? undefined : find(problem.origin, problem.position?.file);
    const code = codeOfProblem(problem, resource?.group);
    return code === undefined ? [] : [{ code, problem, resource }];
  });
}
