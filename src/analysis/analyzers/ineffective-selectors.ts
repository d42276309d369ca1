import type { Labels } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import { labelSearch } from '../model/selector.ts';

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';
const KINDS = ['AuthorizationPolicy', 'RequestAuthentication', 'Telemetry', 'WasmPlugin'];

/** Selectors that choose proxies of Kubernetes Gateways, for which only targetRefs count. */
export const ineffectiveSelectors: Analyzer = {
  name: 'ineffective-selectors',
  codes: ['IST0166'],
  run(model, report) {
    const gateways = model.workloads.filter((workload) => Object.hasOwn(workload.labels, GATEWAY_NAME));
    if (gateways.length === 0) return;
    const search = labelSearch(gateways);
    for (const kind of KINDS) {
      for (const resource of model.of<{ selector?: { matchLabels?: Labels }; targetRef?: unknown }>(kind)) {
        const { selector, targetRef } = resource.spec;
        if (selector === undefined || targetRef !== undefined) continue;
        const names = search
          .select(selector.matchLabels ?? {}, resource.metadata.namespace)
          .map((workload) => workload.labels[GATEWAY_NAME]!);
        for (const gateway of new Set(names)) report('IST0166', resource, ['spec', 'selector'], { gateway }, { atKey: true });
      }
    }
  },
};
