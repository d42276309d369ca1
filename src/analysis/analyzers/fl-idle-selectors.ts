import type { Labels } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import { isAttached } from '../model/policy-scope.ts';
import { selectorText } from '../model/selector.ts';

/** Kinds with a selector that no code of Istio's looks at, and where the labels are. */
const KINDS: readonly (readonly [kind: string, field: string, labels: string])[] = [
  ['PeerAuthentication', 'selector', 'matchLabels'],
  ['RequestAuthentication', 'selector', 'matchLabels'],
  ['WasmPlugin', 'selector', 'matchLabels'],
  ['ProxyConfig', 'selector', 'matchLabels'],
  ['EnvoyFilter', 'workloadSelector', 'labels'],
];

/** Policies that select no workload: they do nothing. */
export const idleSelectors: Analyzer = {
  name: 'fl-idle-selectors',
  codes: ['FL0303'],
  run(model, report) {
    for (const [kind, field, inner] of KINDS) {
      for (const resource of model.of<Record<string, Record<string, Labels> | undefined>>(kind)) {
        const labels = resource.spec?.[field]?.[inner] ?? {};
        if (Object.keys(labels).length === 0 || isAttached(resource)) continue;
        const { namespace } = resource.metadata;
        const scope = namespace === model.rootNamespace && kind !== 'PeerAuthentication' ? undefined : namespace;
        if (!model.given.workloads(scope) || model.workloadSearch.select(labels, scope).length > 0) continue;
        if (model.entrySearch.select(labels, scope).length > 0) continue;
        report('FL0303', resource, ['spec', field, inner], { labels: selectorText(labels), kind }, { atKey: true });
      }
    }
  },
};
