import type { Endpoint, Locality } from '../../mesh/types.ts';

/** Endpoints of one locality and priority, before they are written out. */
export interface LocalityGroup {
  locality: Locality;
  endpoints: readonly Endpoint[];
  /** Sum of the endpoints' weights, unless locality weights replaced it. */
  weight: number;
  /** 0 is tried first; Envoy wants no gaps. */
  priority: number;
}

/** `region/zone/subzone`, trailing empty parts left out. */
export function localityLabel(locality: Locality): string {
  const { region, zone, subzone } = locality;
  return subzone ? `${region}/${zone}/${subzone}` : zone ? `${region}/${zone}` : region;
}

/** Sum of weights, each at least 1. */
export function weightOf(endpoints: readonly Endpoint[]): number {
  return endpoints.reduce((sum, e) => sum + Math.max(1, e.weight), 0);
}

/** Groups endpoints by locality, groups in the order of their labels, endpoints in the order given. All have priority 0. */
export function groupByLocality(endpoints: readonly Endpoint[]): LocalityGroup[] {
  const byLabel = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const label = localityLabel(endpoint.locality);
    const group = byLabel.get(label);
    if (group) group.push(endpoint);
    else byLabel.set(label, [endpoint]);
  }
  return [...byLabel.entries()]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, members]) => ({ locality: members[0]!.locality, endpoints: members, weight: weightOf(members), priority: 0 }));
}
