import type { PermissionJson, PolicyJson, PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { Rule } from '../../config/kinds/security.ts';
import {
  type Condition,
  destinationCondition,
  operationConditions,
  type PolicyScope,
  sourceCondition,
  sourceConditions,
} from './conditions.ts';

/** What a rule is made for. */
export interface RulePolicyOptions extends PolicyScope {
  /** A TCP connection, of which nothing about requests is known. */
  tcp: boolean;
  /**
   * What to do where a condition cannot be told. `narrow`: the rule lets in, so it is left out as a whole. `wide`: the rule keeps out,
   * so only the condition is left out (Istio).
   */
  when: 'narrow' | 'wide';
}

/** How conditions of one side are put together. */
interface Words<T> {
  any: T;
  and(all: T[]): T;
  or(all: T[]): T;
  not(one: T): T;
}

const permission: Words<PermissionJson> = {
  any: { any: true },
  and: (rules) => ({ andRules: { rules } }),
  or: (rules) => ({ orRules: { rules } }),
  not: (notRule) => ({ notRule }),
};

const principal: Words<PrincipalJson> = {
  any: { any: true },
  and: (ids) => ({ andIds: { ids } }),
  or: (ids) => ({ orIds: { ids } }),
  not: (notId) => ({ notId }),
};

/** All of the conditions; undefined when one of them cannot be told and that must not widen the rule. */
function all<T>(conditions: readonly Condition<T>[], words: Words<T>, { tcp, when }: RulePolicyOptions): T | undefined {
  const parts: T[] = [];
  for (const { values, notValues, httpOnly, match, bare } of conditions) {
    for (const list of [values, notValues]) {
      if (list.length === 0) continue;
      const found = tcp && httpOnly ? undefined : match(list);
      if (found === undefined) {
        if (when === 'narrow') return undefined;
        continue;
      }
      const one = bare && found.length === 1 ? found[0]! : words.or([...found]);
      parts.push(list === notValues ? words.not(one) : one);
    }
  }
  return words.and(parts.length === 0 ? [words.any] : parts);
}

function defined<T>(list: readonly (T | undefined)[]): T[] | undefined {
  const there = list.filter((x) => x !== undefined);
  return there.length === list.length ? there : undefined;
}

/** One rule of an AuthorizationPolicy as a policy of an RBAC filter; undefined when it must be left out. */
export function rulePolicy(rule: Rule, options: RulePolicyOptions): PolicyJson | undefined {
  const onDestination: Condition<PermissionJson>[] = [];
  const onSource: Condition<PrincipalJson>[] = [];
  for (const when of rule.when ?? []) {
    const destination = destinationCondition(when);
    const source = destination === undefined ? sourceCondition(when, options) : undefined;
    if (destination) onDestination.push(destination);
    else if (source) onSource.push(source);
    // Nobody knows what the key means.
    else if (options.when === 'narrow') return undefined;
  }
  const to = rule.to?.length ? rule.to : [{}];
  const from = rule.from?.length ? rule.from : [{}];
  const permissions = defined(
    to.map(({ operation = {} }) => all([...operationConditions(operation), ...onDestination], permission, options)),
  );
  const principals = defined(from.map(({ source = {} }) => all([...sourceConditions(source, options), ...onSource], principal, options)));
  return permissions && principals && { permissions, principals };
}

/** A policy that holds for nothing. */
export const NEVER: PolicyJson = { permissions: [{ notRule: { any: true } }], principals: [{ notId: { any: true } }] };
