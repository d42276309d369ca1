import type { DestinationRule, VirtualService } from '../../config/kinds/networking.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { isClusterLocal, serviceKey } from '../model/hosts.ts';
import { destinationsOf } from '../model/virtual-service-parts.ts';

/** Routes to subsets that no DestinationRule of the host defines. */
export const subsets: Analyzer = {
  name: 'subsets',
  codes: ['IST0101'],
  run(model, report) {
    const defined = definedSubsets(model);
    for (const resource of model.of<VirtualService>('VirtualService')) {
      for (const { destination, at, use } of destinationsOf(resource.spec)) {
        const { host, subset } = destination;
        if (!subset || isDefined(defined, resource.metadata.namespace, host, subset)) continue;
        const reftype = use === 'route' ? 'host+subset in destinationrule' : 'mirror+subset in destinationrule';
        report('IST0101', resource, [...at, 'subset'], { reftype, refval: `${host}+${subset}` });
      }
    }
  },
};

interface DefinedSubsets {
  /** `key|subset`. External hosts also by `*` in place of a namespace: they are the same everywhere. */
  readonly exact: ReadonlySet<string>;
  /** What follows the `*` of wildcard hosts, with `|subset`. */
  readonly wildcards: ReadonlySet<string>;
}

function definedSubsets(model: AnalysisModel): DefinedSubsets {
  const exact = new Set<string>();
  const wildcards = new Set<string>();
  for (const { spec, metadata } of model.of<DestinationRule>('DestinationRule')) {
    for (const { name } of spec.subsets ?? []) {
      exact.add(`${serviceKey(metadata.namespace, spec.host)}|${name}`);
      if (!isClusterLocal(spec.host)) exact.add(`*/${spec.host}|${name}`);
      if (spec.host.startsWith('*')) wildcards.add(`${spec.host.slice(1)}|${name}`);
    }
  }
  return { exact, wildcards };
}

function isDefined({ exact, wildcards }: DefinedSubsets, namespace: string, host: string, subset: string): boolean {
  if (exact.has(`${serviceKey(namespace, host)}|${subset}`)) return true;
  if (!isClusterLocal(host) && exact.has(`*/${host}|${subset}`)) return true;
  if (wildcards.size === 0) return false;
  for (let at = 0; at <= host.length; at++) if (wildcards.has(`${host.slice(at)}|${subset}`)) return true;
  return false;
}
