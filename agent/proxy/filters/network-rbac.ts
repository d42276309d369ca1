import type { RBACJson } from '#envoy-api/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { compileRbac } from '../../../src/authorization/compile-rbac.ts';
import { denialDetails, rbacMetadata } from '../../../src/authorization/rbac-outcome.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { ConnectionFilter, Denial, FilteredConnection } from '../tcp/admission.ts';
import { authorizationConnection } from './authorization-input.ts';
import type { ConnectionFilterFactory } from './connection-filter.ts';
import { createRbacStats } from './rbac-stats.ts';
import { checkFields } from './unsupported.ts';

/** Where decisions are kept in the dynamic metadata. */
const METADATA = 'envoy.filters.network.rbac';

/**
 * Lets connections pass or denies them by rules. Envoy's RBAC network filter, which decides at the client's first byte, when the upstream
 * is connected and has perhaps spoken already; here it does before that, since nothing that rules look at comes later.
 */
export const createNetworkRbac: ConnectionFilterFactory = (config, { stats, path }) => {
  const problems = new ProblemList();
  const json = config as RBACJson;
  checkFields('NetworkRBAC', json, path, problems);
  if (!json.statPrefix) problems.invalid(`${path}.statPrefix`, 'is required');
  const enforced = json.rules === undefined ? undefined : compileRbac(json.rules, `${path}.rules`);
  const shadow = json.shadowRules === undefined ? undefined : compileRbac(json.shadowRules, `${path}.shadowRules`);
  problems.all.push(...(enforced?.problems ?? []), ...(shadow?.problems ?? []));
  for (const field of ['rules', 'shadowRules'] as const) refuseHeaders(json[field], `${path}.${field}`, problems);
  const rules = enforced?.rbac;
  const shadowRules = shadow?.rbac;
  const { statPrefix = '', shadowRulesStatPrefix: shadowPrefix = '' } = json;
  const counters = createRbacStats(stats, statPrefix, '', shadowPrefix);

  function decide({ info, metadata }: FilteredConnection): Denial | undefined {
    const input = { connection: authorizationConnection(info), metadata };
    if (shadowRules !== undefined) {
      const decision = shadowRules.decide(input);
      counters.shadow(decision.allowed);
      metadata[METADATA] = { ...metadata[METADATA], ...rbacMetadata(`${shadowPrefix}shadow`, decision) };
    }
    if (rules === undefined) return undefined;
    const { allowed, policy } = rules.decide(input);
    if (rules.action === 'LOG') metadata['envoy.common'] = { ...metadata['envoy.common'], access_log_hint: policy !== undefined };
    counters.enforced(allowed);
    return allowed ? undefined : { details: '', terminationDetails: denialDetails(policy) };
  }

  const filter: ConnectionFilter = {
    admit(connection, done) {
      done(decide(connection));
      return undefined;
    },
    ...(json.enforcementType === 'CONTINUOUS' && { readmit: decide }),
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};

/** Envoy: rules about headers are an error here, however deep they stand. */
function refuseHeaders(json: unknown, path: string, problems: ProblemList): void {
  if (typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json)) {
    const at = Array.isArray(json) ? `${path}[${key}]` : `${path}.${key}`;
    if (key === 'header') problems.invalid(at, 'connections have no headers');
    else refuseHeaders(value, at, problems);
  }
}
