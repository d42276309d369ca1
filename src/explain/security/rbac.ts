import type { RBACJson as RulesJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { RBACJson } from '#envoy-api/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import { compileRbac } from '../../authorization/compile-rbac.ts';
import { DENIED_BODY, denialDetails, rbacMetadata } from '../../authorization/rbac-outcome.ts';
import type { CompiledRbac } from '../../authorization/types.ts';
import { EXT_AUTHZ_PREFIX } from '../../envoy/security/ext-authz.ts';
import { BAD_CUSTOM_SUFFIX } from '../../envoy/security/policy-name.ts';
import type { DecidingPolicy } from '../types.ts';
import { type GuardState, type GuardVerdict, inputOf } from './guard.ts';
import { policyOf, policyText } from './policy-of.ts';
import { ruleMisses } from './rule-misses.ts';

/** Rules compiled once for as long as their JSON is kept; a text says why they cannot be evaluated. */
const compiled = new WeakMap<RulesJson, CompiledRbac | string>();

function rulesOf(json: RulesJson): CompiledRbac | string {
  let known = compiled.get(json);
  if (known === undefined) {
    const { rbac, problems } = compileRbac(json, 'rules');
    const wrong = problems.find((p) => p.severity === 'error');
    known = wrong === undefined ? rbac : wrong.message;
    compiled.set(json, known);
  }
  return known;
}

const DRY_RUN = 'dry run: ';

/** Evaluates an RBAC filter, for requests and connections alike. */
export function evaluateRbac(name: string, json: RBACJson, state: GuardState): GuardVerdict {
  const { rules, shadowRules, shadowRulesStatPrefix: prefix = '' } = json;
  const notes: string[] = [];
  const input = inputOf(state);
  if (shadowRules !== undefined) {
    const shadow = rulesOf(shadowRules);
    if (typeof shadow === 'string') return { kind: 'unevaluated', why: shadow };
    const decision = shadow.decide(input);
    Object.assign(metadataOf(state, name), rbacMetadata(`${prefix}shadow`, decision));
    if (prefix !== EXT_AUTHZ_PREFIX) notes.push(dryRunText(shadow.action, decision.allowed, decision.policy, shadowRules, state));
  }
  if (rules === undefined) return { kind: 'silent', notes };
  const rbac = rulesOf(rules);
  if (typeof rbac === 'string') return { kind: 'unevaluated', why: rbac, notes };
  const { allowed, policy } = rbac.decide(input);
  Object.assign(metadataOf(state, name), rbacMetadata('enforced', { allowed, policy }));
  const matched = policy === undefined ? undefined : policyOf(policy, rbac.action === 'LOG' ? 'AUDIT' : rbac.action, state.locator);
  const policies = matched === undefined ? undefined : [matched];
  if (rbac.action === 'LOG') {
    if (matched === undefined) return { kind: 'silent', notes };
    return { kind: 'lets-pass', why: `AuthorizationPolicy ${policyText(matched)} notes it for the audit`, policies: policies!, notes };
  }
  if (allowed) {
    if (matched === undefined) return { kind: 'lets-pass', why: 'no DENY rule matches', notes, misses: [] };
    return { kind: 'lets-pass', why: `AuthorizationPolicy ${policyText(matched)} allows it`, policies: policies!, notes };
  }
  const denial = { status: 403, body: DENIED_BODY, details: denialDetails(policy), flags: '-', headers: [] };
  if (matched !== undefined) {
    const bad = policy!.endsWith(BAD_CUSTOM_SUFFIX);
    const why = bad
      ? `AuthorizationPolicy ${policyText(matched)} denies it: the provider that it names cannot be asked`
      : `AuthorizationPolicy ${policyText(matched)} denies it`;
    return { kind: 'denies', ...denial, why, policies: policies!, notes };
  }
  const all = policiesIn(rules, 'ALLOW', state);
  const names = all.map(policyText).join(', ');
  const why =
    all.length === 0 ? 'its rules allow nothing: there is none' : `no rule allows it: not one of AuthorizationPolicy ${names} matches`;
  return { kind: 'denies', ...denial, why, policies: all, notes, misses: ruleMisses(rules, input) };
}

/** Every AuthorizationPolicy of some rules, once. */
function policiesIn({ policies = {} }: RulesJson, action: string, { locator }: GuardState): DecidingPolicy[] {
  const byName = new Map<string, DecidingPolicy>();
  for (const key of Object.keys(policies)) {
    const { rule: _rule, origin: written, ...named } = policyOf(key, action, locator);
    const origin = written?.config === undefined ? undefined : locator?.resource(written.config, undefined);
    const policy = { ...named, ...(origin !== undefined && { origin }) };
    const name = `${policy.namespace}/${policy.name}`;
    if (!byName.has(name)) byName.set(name, policy);
  }
  return [...byName.values()];
}

function dryRunText(
  action: CompiledRbac['action'],
  allowed: boolean,
  policy: string | undefined,
  rules: RulesJson,
  state: GuardState,
): string {
  if (policy !== undefined) {
    const verb = action === 'DENY' ? 'would deny' : 'would allow';
    return `${DRY_RUN}AuthorizationPolicy ${policyText(policyOf(policy, action, state.locator))} ${verb} it; nothing is enforced`;
  }
  const names = policiesIn(rules, action, state).map(policyText).join(', ');
  return allowed
    ? `${DRY_RUN}no rule of AuthorizationPolicy ${names} matches: it would not deny it`
    : `${DRY_RUN}no rule of AuthorizationPolicy ${names} allows it: with no other ALLOW policy it would be denied; nothing is enforced`;
}

function metadataOf({ metadata }: GuardState, filter: string): Record<string, unknown> {
  const found = metadata[filter];
  if (typeof found === 'object' && found !== null) return found as Record<string, unknown>;
  const made: Record<string, unknown> = {};
  metadata[filter] = made;
  return made;
}
