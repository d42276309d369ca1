import type { VirtualService } from '../../config/kinds/networking.ts';
import type { RequestAuthentication } from '../../config/kinds/security.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { isSubset } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullName } from '../model/hosts.ts';
import type { Workload } from '../model/workloads.ts';
import { boundGateways } from './gateway-references.ts';

/** Routes by a claim of the JWT at gateways that check no JWT. */
export const jwtClaimRoutes: Analyzer = {
  name: 'jwt-claim-routes',
  codes: ['IST0149'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      const found = firstClaim(resource.spec);
      if (found === undefined) continue;
      for (const gateway of boundGateways(model, resource)) {
        for (const workload of model.workloadSearch.select(gateway.spec.selector ?? {})) {
          if (hasAuthentication(model, workload)) continue;
          const args = { key: found.key, gateway: fullName(gateway.metadata), pod: workload.name };
          report('IST0149', resource, found.at, args, {
            atKey: true,
            related: [{ resource: gateway, at: ['spec', 'selector'], note: 'the Gateway selects the Pod here' }],
          });
        }
      }
    }
  },
};

/** `@request.auth.claims.group` and `@request.auth.claims[group]`. */
const CLAIM = /^@request\.auth\.claims(?:\..+|\[.+\])/i;

function firstClaim(spec: VirtualService): { key: string; at: FieldPath } | undefined {
  for (const [i, { match = [] }] of (spec.http ?? []).entries()) {
    for (const [j, value] of match.entries()) {
      for (const field of ['headers', 'withoutHeaders'] as const) {
        const key = Object.keys(value[field] ?? {}).find((header) => CLAIM.test(header));
        if (key !== undefined) return { key, at: ['spec', 'http', i, 'match', j, field, key] };
      }
    }
  }
  return undefined;
}

/** Remembers the answer for each workload: many routes share a gateway. */
function hasAuthentication(model: AnalysisModel, workload: Workload): boolean {
  const { byNamespace, known } = model.shared('authenticated workloads', () => ({
    byNamespace: groupByNamespace(model.of<RequestAuthentication>('RequestAuthentication')),
    known: new Map<Workload, boolean>(),
  }));
  let answer = known.get(workload);
  if (answer === undefined) {
    const policies = [...(byNamespace.get(model.rootNamespace) ?? []), ...(byNamespace.get(workload.namespace) ?? [])];
    answer = policies.some(({ spec }) => isSubset(spec.selector?.matchLabels ?? {}, workload.labels));
    known.set(workload, answer);
  }
  return answer;
}

function groupByNamespace(policies: readonly Resource<RequestAuthentication>[]): Map<string, Resource<RequestAuthentication>[]> {
  const groups = new Map<string, Resource<RequestAuthentication>[]>();
  for (const policy of policies) {
    const group = groups.get(policy.metadata.namespace);
    if (group === undefined) groups.set(policy.metadata.namespace, [policy]);
    else group.push(policy);
  }
  return groups;
}
