import type { JwtAuthenticationJson, RequirementRuleJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { Condition } from '../routing/condition.ts';
import { compileHeaderMatcher } from '../routing/header-matcher.ts';
import { compilePathMatcher } from '../routing/path-matcher.ts';
import type { ProblemList } from '../routing/problems.ts';
import { compileQueryMatcher } from '../routing/query-matcher.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { Provider } from './provider.ts';
import { compileRequirement, type MoreTokens, type Requirement } from './requirement.ts';
import type { JwtCall } from './verify-tokens.ts';

const MATCH_FIELDS: ReadonlySet<string> = new Set(
  'prefix path safeRegex pathSeparatedPrefix connectMatcher caseSensitive headers queryParameters'.split(' '),
);

interface Rule<C extends JwtCall> {
  readonly conditions: readonly Condition[];
  /** Undefined: anybody may pass. */
  readonly requirement: Requirement<C> | undefined;
}

/** What a request has to show; undefined: nothing. */
export type RequirementOf<C extends JwtCall> = (request: RouteRequest) => Requirement<C> | undefined;

/** Compiles the rules of a filter: the first that matches a request counts. */
export function compileRequirements<C extends JwtCall>(
  json: JwtAuthenticationJson,
  providers: ReadonlyMap<string, Provider<C>>,
  path: string,
  problems: ProblemList,
  more?: MoreTokens<C>,
): RequirementOf<C> {
  const named = new Map<string, Requirement<C>>();
  for (const [key, requirement] of Object.entries(json.requirementMap ?? {}))
    named.set(key, compileRequirement(requirement, providers, `${path}.requirementMap[${JSON.stringify(key)}]`, problems, more));
  const rules = (json.rules ?? []).map((rule, i) => compileRule(rule, providers, named, `${path}.rules[${i}]`, problems, more));
  return (request) => rules.find(({ conditions }) => conditions.every((condition) => condition.test(request)))?.requirement;
}

function compileRule<C extends JwtCall>(
  json: RequirementRuleJson,
  providers: ReadonlyMap<string, Provider<C>>,
  named: ReadonlyMap<string, Requirement<C>>,
  path: string,
  problems: ProblemList,
  more: MoreTokens<C> | undefined,
): Rule<C> {
  const match = json.match ?? {};
  for (const key of Object.keys(match))
    if (!MATCH_FIELDS.has(key)) problems.unsupported(`${path}.match.${key}`, 'rules go by paths, headers and parameters');
  const conditions = [
    compilePathMatcher(match, false, `${path}.match`, problems),
    ...(match.headers ?? []).map((header, i) => compileHeaderMatcher(header, `headers[${i}]`, `${path}.match.headers[${i}]`, problems)),
    ...(match.queryParameters ?? []).map((parameter, i) =>
      compileQueryMatcher(parameter, `queryParameters[${i}]`, `${path}.match.queryParameters[${i}]`, problems),
    ),
  ];
  if (json.requirementName !== undefined) {
    const requirement = named.get(json.requirementName);
    if (requirement === undefined)
      problems.invalid(
        `${path}.requirementName`,
        `Wrong requirement_name: ${json.requirementName}. It should be one of [${[...named.keys()].join(', ')}]`,
      );
    return { conditions, requirement };
  }
  const requirement =
    json.requires === undefined ? undefined : compileRequirement(json.requires, providers, `${path}.requires`, problems, more);
  return { conditions, requirement };
}
