import type { PolicyJson, RBACJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { Problem } from '../errors.ts';
import { ProblemList } from '../routing/problems.ts';
import { anyOf, type InputTest } from './input-test.ts';
import { compilePermission } from './permission.ts';
import { compilePrincipal } from './principal.ts';
import type { CompiledRbac } from './types.ts';

const ACTIONS: ReadonlySet<string> = new Set(['ALLOW', 'DENY', 'LOG']);
const FIELDS: ReadonlySet<string> = new Set(['action', 'policies']);
const POLICY_FIELDS: ReadonlySet<string> = new Set(['permissions', 'principals']);

/**
 * Compiles `envoy.config.rbac.v3.RBAC`; `where` leads to it, for problems. With an error among them the rules must not be used: what
 * is not evaluated is refused. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
 */
export function compileRbac(json: RBACJson, where: string): { rbac: CompiledRbac; problems: readonly Problem[] } {
  const problems = new ProblemList();
  refuseOthers(json, FIELDS, where, problems);
  const { action = 'ALLOW' } = json;
  if (!ACTIONS.has(action)) problems.invalid(`${where}.action`, `${JSON.stringify(action)} is none of ALLOW, DENY, LOG`);
  // Envoy keeps policies in a map: they are tried by their names' bytes.
  const named = Object.entries(json.policies ?? {}).map(([name, policy]) => ({ name, policy, key: Buffer.from(name) }));
  named.sort((a, b) => Buffer.compare(a.key, b.key));
  const policies = named.map(({ name, policy }) => ({
    name,
    ...compilePolicy(policy, `${where}.policies[${JSON.stringify(name)}]`, problems),
  }));
  const rbac: CompiledRbac = {
    action: action as CompiledRbac['action'],
    decide(input) {
      let matched: string | undefined;
      for (const { name, permission, principal } of policies) {
        if (!permission(input) || !principal(input)) continue;
        matched = name;
        break;
      }
      return { allowed: action === 'LOG' || (matched !== undefined) === (action === 'ALLOW'), policy: matched };
    },
  };
  return { rbac, problems: problems.all };
}

function compilePolicy(json: PolicyJson, path: string, problems: ProblemList): { permission: InputTest; principal: InputTest } {
  refuseOthers(json, POLICY_FIELDS, path, problems);
  const { permissions = [], principals = [] } = json;
  if (permissions.length === 0) problems.invalid(`${path}.permissions`, 'must not be empty');
  if (principals.length === 0) problems.invalid(`${path}.principals`, 'must not be empty');
  return {
    permission: anyOf(permissions.map((rule, i) => compilePermission(rule, `${path}.permissions[${i}]`, problems))),
    principal: anyOf(principals.map((id, i) => compilePrincipal(id, `${path}.principals[${i}]`, problems))),
  };
}

/** An unknown condition that went unnoticed could open what it was to close. */
function refuseOthers(json: object, known: ReadonlySet<string>, path: string, problems: ProblemList): void {
  for (const [key, value] of Object.entries(json)) {
    if (known.has(key) || value === undefined) continue;
    const why = key === 'condition' || key === 'checkedCondition' ? 'CEL conditions are not evaluated' : 'it is not acted on';
    problems.unsupported(`${path}.${key}`, why);
  }
}
