import type { Endpoint, Locality, ProxyNode } from '../../mesh/types.ts';
import { type LocalityGroup, weightOf } from './locality-groups.ts';
import type { LocalityPlan, LocalitySetting } from './locality-setting.ts';

/** The labels that say where something runs; they are known even when nobody wrote them down as labels. */
function topology(label: string, at: { locality: Locality; network: string; nodeName: string }): string {
  switch (label) {
    case 'topology.kubernetes.io/region':
      return at.locality.region;
    case 'topology.kubernetes.io/zone':
      return at.locality.zone;
    case 'topology.istio.io/subzone':
      return at.locality.subzone;
    case 'topology.istio.io/network':
      return at.network;
    case 'kubernetes.io/hostname':
      return at.nodeName;
    default:
      return '';
  }
}

/** `us-east/zone1/*` and `*` cover what begins so. */
function covers(pattern: string, locality: Locality): boolean {
  if (pattern === '*' || pattern === '') return pattern === '*';
  const parts = pattern.split('/');
  const actual = [locality.region, locality.zone, locality.subzone];
  for (let i = 0; i < 3; i++) {
    const wanted = parts[i];
    if (wanted === undefined || wanted === '*') return true;
    if (wanted !== actual[i]) return false;
  }
  return true;
}

/** Shares of traffic: each `to` entry's share is spread over its localities by their own weights, rounded up; others are emptied. */
function distribute(groups: LocalityGroup[], from: Locality, entries: NonNullable<LocalitySetting['distribute']>): LocalityGroup[] {
  const entry = entries.find((e) => covers(e.from ?? '', from));
  if (entry === undefined) return groups;
  const weights = new Map<LocalityGroup, number>();
  for (const [pattern, share] of Object.entries(entry.to ?? {})) {
    const members = groups.filter((g) => !weights.has(g) && covers(pattern, g.locality));
    const sum = members.reduce((n, g) => n + g.weight, 0);
    for (const g of members) weights.set(g, Math.ceil((g.weight * share) / sum));
  }
  return groups.map((g) => {
    const weight = weights.get(g);
    // A share of 0 keeps the locality's own weight nowhere: it gets nothing.
    return weight ? { ...g, weight } : { ...g, endpoints: [], weight: 0 };
  });
}

/** 0 same region, zone and subzone; 1 region and zone; 2 region; 3 elsewhere, 4 where a `failover` names another region. */
function nearness(from: Locality, at: Locality, failover: LocalitySetting['failover']): number {
  if (from.region !== at.region) {
    const rule = failover?.find((f) => f.from === from.region);
    return rule && rule.to !== at.region ? 4 : 3;
  }
  if (from.zone !== at.zone) return 2;
  return from.subzone === at.subzone ? 0 : 1;
}

/** How many labels from the first on an endpoint shares with the proxy, as a priority: all shared is 0. */
function labelPriority(labels: readonly string[], proxy: ProxyNode, endpoint: Endpoint): number {
  for (const [index, entry] of labels.entries()) {
    const equals = entry.indexOf('=');
    const label = equals < 0 ? entry : entry.slice(0, equals);
    const wanted =
      equals >= 0 ? entry.slice(equals + 1) : (proxy.labels[label] ?? topology(label, { ...proxy, nodeName: proxy.workload.nodeName }));
    const actual = endpoint.labels[label] ?? topology(label, endpoint);
    // Another network is further away than anything else that differs.
    if (wanted !== actual) return index === 0 && label === 'topology.istio.io/network' ? 2 * labels.length : labels.length - index;
  }
  return 0;
}

/** Renumbers priorities from 0 without gaps (Envoy refuses gaps) and keeps the groups' order otherwise. */
function closeGaps(groups: LocalityGroup[]): LocalityGroup[] {
  const used = [...new Set(groups.map((g) => g.priority))].sort((a, b) => a - b);
  return groups.map((g) => ({ ...g, priority: used.indexOf(g.priority) }));
}

/** Splits groups whose endpoints differ in priority, and sorts by priority. */
function regroup(groups: LocalityGroup[], priorityOf: (group: LocalityGroup, endpoint: Endpoint) => number): LocalityGroup[] {
  const out: LocalityGroup[] = [];
  for (const group of groups) {
    const byPriority = new Map<number, Endpoint[]>();
    for (const endpoint of group.endpoints) {
      const priority = priorityOf(group, endpoint);
      const members = byPriority.get(priority);
      if (members) members.push(endpoint);
      else byPriority.set(priority, [endpoint]);
    }
    for (const [priority, endpoints] of byPriority) out.push({ ...group, endpoints, priority, weight: weightOf(endpoints) });
  }
  return closeGaps(out).sort((a, b) => a.priority - b.priority);
}

/**
 * Gives the groups the weights or priorities that a locality plan asks for, as one proxy sees them. `distribute` excludes the rest;
 * failover needs outlier detection (or a service's traffic distribution): without it Envoy would never move to a lower priority.
 */
export function prioritise(groups: LocalityGroup[], proxy: ProxyNode, plan: LocalityPlan | undefined): LocalityGroup[] {
  if (plan === undefined || groups.length === 0) return groups;
  const { setting, failover } = plan;
  if (setting.distribute?.length) return distribute(groups, proxy.locality, setting.distribute);
  if (!failover) return groups;
  const labels = setting.failoverPriority;
  if (!labels?.length) return closeGaps(groups.map((g) => ({ ...g, priority: nearness(proxy.locality, g.locality, setting.failover) })));
  // Istio: priorities by label come first, and within one of them those by locality (five kinds).
  return regroup(groups, (group, endpoint) => {
    const byLabel = labelPriority(labels, proxy, endpoint);
    return setting.failover?.length ? byLabel * 5 + nearness(proxy.locality, group.locality, setting.failover) : byLabel;
  });
}
