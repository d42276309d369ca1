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

function hasAuthentication(model: AnalysisModel, workload: Workload): boolean {
  return model.of<RequestAuthentication>('RequestAuthentication').some((resource: Resource<RequestAuthentication>) => {
    const { namespace } = resource.metadata;
    return (
      (namespace === model.rootNamespace || namespace === workload.namespace) &&
      isSubset(resource.spec.selector?.matchLabels ?? {}, workload.labels)
    );
  });
}
