import type { Gateway } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { MAX_NAMED, MAX_RELATED } from '../model/bounds.ts';
import { fullName } from '../model/hosts.ts';
import { selectorText } from '../model/selector.ts';

type Owners = Map<string, Set<Resource<Gateway>>>;

/** Gateways on the same workloads with the same host on the same port: one of them is not served. */
export const gatewayConflicts: Analyzer = {
  name: 'gateway-conflicts',
  codes: ['IST0145'],
  run(model, report) {
    const gateways = model.of<Gateway>('Gateway');
    /** By selector, then by `port bind host`. */
    const bySelector = new Map<string, Owners>();
    const keyOf = (port: number, bind: string | undefined, host: string): string => `${port} ${bind ?? ''} ${host}`;
    for (const resource of gateways) {
      const selector = selectorText(resource.spec.selector);
      const owners: Owners = bySelector.get(selector) ?? new Map();
      bySelector.set(selector, owners);
      for (const { port, bind, hosts } of resource.spec.servers ?? []) {
        for (const host of hosts) {
          const key = keyOf(port.number, bind, host);
          owners.set(key, (owners.get(key) ?? new Set()).add(resource));
        }
      }
    }
    const related = relatedSelectors(model, gateways);
    for (const resource of gateways) {
      const selector = selectorText(resource.spec.selector);
      for (const [i, { port, bind, hosts }] of (resource.spec.servers ?? []).entries()) {
        const others = new Set<Resource<Gateway>>();
        for (const other of related.get(selector) ?? [selector]) {
          for (const host of hosts) {
            for (const owner of bySelector.get(other)?.get(keyOf(port.number, bind, host)) ?? []) {
              if (owner !== resource) others.add(owner);
              if (others.size >= MAX_NAMED) break;
            }
          }
        }
        if (others.size === 0) continue;
        const gateway = [...others]
          .map((other) => fullName(other.metadata))
          .sort()
          .join(',');
        report(
          'IST0145',
          resource,
          ['spec', 'servers', i, 'hosts'],
          { gateway, selector, portnumber: String(port.number), hosts: hosts.join(',') },
          {
            related: [...others].slice(0, MAX_RELATED).map((other) => {
              const index = (other.spec.servers ?? []).findIndex(
                (server) =>
                  server.port.number === port.number && (server.bind ?? '') === (bind ?? '') && server.hosts.some((h) => hosts.includes(h)),
              );
              return { resource: other, at: ['spec', 'servers', Math.max(index, 0), 'hosts'], note: 'the same host is served here' };
            }),
          },
        );
      }
    }
  },
};

/**
 * For each selector those that choose some of the same workloads: itself, and those of which one text holds the other while a workload
 * carries both. Found by way of the workloads, so that unrelated Gateways are never compared.
 */
function relatedSelectors(model: AnalysisModel, gateways: readonly Resource<Gateway>[]): Map<string, Set<string>> {
  const selectors = new Map(gateways.map((gateway) => [selectorText(gateway.spec.selector), gateway.spec.selector ?? {}]));
  const related = new Map([...selectors.keys()].map((text) => [text, new Set([text])]));
  if (selectors.size < 2) return related;
  const byWorkload = new Map<unknown, string[]>();
  for (const [text, selector] of selectors) {
    if (text === '') continue;
    for (const workload of model.workloadSearch.select(selector)) byWorkload.set(workload, [...(byWorkload.get(workload) ?? []), text]);
  }
  for (const texts of byWorkload.values()) {
    for (const a of texts) for (const b of texts) if (a.includes(b) || b.includes(a)) related.get(a)!.add(b);
  }
  // No selector at all: every gateway workload.
  if (selectors.has('') && model.workloads.length > 0) {
    for (const [text, selector] of selectors) {
      if (model.workloadSearch.select(selector).length === 0) continue;
      related.get('')!.add(text);
      related.get(text)!.add('');
    }
  }
  return related;
}
