import type { CustomResourceDefinition } from '../../config/kinds/kubernetes.ts';
import type { Sidecar, VirtualService } from '../../config/kinds/networking.ts';
import type { Analyzer } from '../analyzer.ts';
import { replacedField } from '../model/problem-fixes.ts';

const REMOVED = new Set(['ClusterRbacConfig', 'RbacConfig', 'ServiceRole', 'ServiceRoleBinding']);

/** Fields and kinds that are on their way out, or gone. */
export const deprecations: Analyzer = {
  name: 'deprecations',
  codes: ['IST0002'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      for (const [i, { fault }] of (resource.spec.http ?? []).entries()) {
        if (((fault?.delay as { percent?: number } | undefined)?.percent ?? 0) <= 0) continue;
        const at = ['spec', 'http', i, 'fault', 'delay', 'percent'];
        const fix = replacedField(resource, at);
        const detail = '`fault.delay.percent` is replaced by `percentage`';
        report('IST0002', resource, at, { detail }, { atKey: true, ...(fix && { fix }) });
      }
    }
    for (const resource of model.of<Sidecar>('Sidecar')) {
      if (resource.spec.outboundTrafficPolicy?.egressProxy === undefined) continue;
      const detail = '`outboundTrafficPolicy.egressProxy` is ignored';
      report('IST0002', resource, ['spec', 'outboundTrafficPolicy', 'egressProxy'], { detail }, { atKey: true });
    }
    for (const resource of model.of<CustomResourceDefinition>('CustomResourceDefinition')) {
      const { group, names } = resource.spec;
      if (group !== 'rbac.istio.io' || !REMOVED.has(names?.kind)) continue;
      report('IST0002', resource, ['metadata', 'name'], { detail: `${names.kind} is removed: use AuthorizationPolicy` });
    }
  },
};
