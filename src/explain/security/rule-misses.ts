import type { PermissionJson, PolicyJson, PrincipalJson, RBACJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import { compilePermission } from '../../authorization/permission.ts';
import { compilePrincipal } from '../../authorization/principal.ts';
import type { AuthorizationInput } from '../../authorization/types.ts';
import { ProblemList } from '../../routing/problems.ts';
import { permissionWords, principalWords, type RuleWords, sentence } from './rule-words.ts';

/** A rule that did not match: the conditions that failed, in words. */
export interface RuleMiss {
  /** Of the policy, as the filter has it. */
  readonly policy: string;
  /** In Envoy's config, below the rules. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly held: number;
  readonly failed: number;
  /** Each failed condition with what there is instead. */
  readonly conditions: readonly { readonly expected: string; readonly actual: string }[];
}

interface Leaf {
  readonly field: string;
  readonly words: RuleWords;
  readonly holds: boolean;
}

const none = new ProblemList();

/** The conditions of one alternative; nested alternatives count as one. */
function leavesOf(json: PermissionJson, field: string, input: AuthorizationInput): Leaf[] {
  if (json.andRules !== undefined)
    return (json.andRules.rules ?? []).flatMap((rule, i) => leavesOf(rule, `${field}.andRules.rules[${i}]`, input));
  if (json.any === true) return [];
  return [{ field, words: permissionWords(json), holds: compilePermission(json, '', none)(input) }];
}

function idLeavesOf(json: PrincipalJson, field: string, input: AuthorizationInput): Leaf[] {
  if (json.andIds !== undefined) return (json.andIds.ids ?? []).flatMap((id, i) => idLeavesOf(id, `${field}.andIds.ids[${i}]`, input));
  if (json.any === true) return [];
  return [{ field, words: principalWords(json), holds: compilePrincipal(json, '', none)(input) }];
}

const failures = (leaves: readonly Leaf[]): number => leaves.filter((l) => !l.holds).length;
const nearest = (alternatives: readonly Leaf[][]): Leaf[] => [...alternatives].sort((a, b) => failures(a) - failures(b))[0] ?? [];

function missOf(name: string, { permissions = [], principals = [] }: PolicyJson, input: AuthorizationInput): RuleMiss | undefined {
  const field = `policies[${JSON.stringify(name)}]`;
  const leaves = [
    ...nearest(permissions.map((p, i) => leavesOf(p, `${field}.permissions[${i}]`, input))),
    ...nearest(principals.map((p, i) => idLeavesOf(p, `${field}.principals[${i}]`, input))),
  ];
  const failed = leaves.filter((l) => !l.holds);
  if (failed.length === 0) return undefined;
  return {
    policy: name,
    field: failed[0]!.field,
    expected: failed.map(({ words }) => sentence(words)).join(' and '),
    actual: failed
      .map(({ words }) => words.actual(input))
      .filter((t, i, all) => t !== '' && all.indexOf(t) === i)
      .join('; '),
    held: leaves.length - failed.length,
    failed: failed.length,
    conditions: failed.map(({ words }) => ({ expected: sentence(words), actual: words.actual(input) })),
  };
}

/** Why none of some rules matched, the nearest first. */
export function ruleMisses({ policies = {} }: RBACJson, input: AuthorizationInput): RuleMiss[] {
  return Object.entries(policies)
    .flatMap(([name, policy]) => missOf(name, policy, input) ?? [])
    .sort((a, b) => a.failed - b.failed || b.held - a.held);
}
