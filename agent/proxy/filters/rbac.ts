import type { RBACJson } from '#envoy-api/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import { compileRbac } from '../../../src/authorization/compile-rbac.ts';
import { DENIED_BODY, denialDetails, rbacMetadata } from '../../../src/authorization/rbac-outcome.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import { authorizationInput } from './authorization-input.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';
import { createRbacStats } from './rbac-stats.ts';
import { checkFields } from './unsupported.ts';

/** Where decisions are kept in the dynamic metadata. */
const METADATA = 'envoy.filters.http.rbac';

/** Lets requests pass or denies them by rules. Envoy: RBAC filter. */
export const createRbac: HttpFilterFactory = (name, config, { statPrefix, stats, path }) => {
  const problems = new ProblemList();
  const json = config as RBACJson;
  checkFields('RBAC', json, path, problems);
  const enforced = json.rules === undefined ? undefined : compileRbac(json.rules, `${path}.rules`);
  const shadow = json.shadowRules === undefined ? undefined : compileRbac(json.shadowRules, `${path}.shadowRules`);
  problems.all.push(...(enforced?.problems ?? []), ...(shadow?.problems ?? []));
  const rules = enforced?.rbac;
  const shadowRules = shadow?.rbac;
  const { rulesStatPrefix: rulesPrefix = '', shadowRulesStatPrefix: shadowPrefix = '' } = json;
  const counters = createRbacStats(stats, `http.${statPrefix}.`, rulesPrefix, shadowPrefix);

  const filter: HttpFilter = {
    name,
    onRequest(exchange) {
      if (shadowRules !== undefined) {
        const decision = shadowRules.decide(authorizationInput(exchange));
        counters.shadow(decision.allowed);
        Object.assign(exchange.dynamicMetadata(METADATA), rbacMetadata(`${shadowPrefix}shadow`, decision));
      }
      if (rules === undefined) return true;
      const decision = rules.decide(authorizationInput(exchange));
      const { allowed, policy } = decision;
      Object.assign(exchange.dynamicMetadata(METADATA), rbacMetadata(`${rulesPrefix}enforced`, decision));
      if (rules.action === 'LOG') {
        exchange.dynamicMetadata('envoy.common')['access_log_hint'] = policy !== undefined;
        counters.logged(policy !== undefined);
      }
      counters.enforced(allowed);
      if (allowed) return true;
      exchange.localReply(403, DENIED_BODY, denialDetails(policy));
      return false;
    },
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};
