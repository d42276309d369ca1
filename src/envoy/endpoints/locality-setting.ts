import type { EffectivePolicy, ResolvedMeshConfig, Service } from '../../mesh/types.ts';

/** Istio's `localityLbSetting`. */
export type LocalitySetting = NonNullable<NonNullable<EffectivePolicy['loadBalancer']>['localityLbSetting']>;

/** What a service's `trafficDistribution` stands for, nearest last. */
const distribution: Record<Service['trafficDistribution'], readonly string[] | undefined> = {
  any: undefined,
  zone: ['topology.istio.io/network', 'topology.kubernetes.io/region', 'topology.kubernetes.io/zone'],
  node: [
    'topology.istio.io/network',
    'topology.kubernetes.io/region',
    'topology.kubernetes.io/zone',
    'topology.istio.io/subzone',
    'kubernetes.io/hostname',
  ],
};

/** The locality settings that hold for a cluster. */
export interface LocalityPlan {
  setting: LocalitySetting;
  /** Hosts further away may be used when nearer ones fail: outlier detection is on, or the service's traffic distribution asks for it. */
  failover: boolean;
}

/**
 * Which locality settings hold, the first of: the rule's, the service's traffic distribution, the mesh's (on by default, with nothing
 * set). `enabled: false` in the one found ends it: undefined.
 */
export function localityPlan(
  policy: EffectivePolicy,
  service: Pick<Service, 'trafficDistribution'>,
  config: ResolvedMeshConfig,
): LocalityPlan | undefined {
  const own = policy.loadBalancer?.localityLbSetting;
  const byService = own ? undefined : distribution[service.trafficDistribution];
  const setting: LocalitySetting = own ?? (byService ? { failoverPriority: [...byService] } : (config.localityLbSetting ?? {}));
  if (setting.enabled === false) return undefined;
  return { setting, failover: byService !== undefined || policy.outlierDetection !== undefined };
}

/** Whether the cluster weighs its localities: Envoy's `locality_weighted_lb_config`. */
export function weighsLocalities(plan: LocalityPlan | undefined): boolean {
  if (plan === undefined) return false;
  const { setting, failover } = plan;
  return !!setting.distribute?.length || (failover && (!!setting.failover?.length || !!setting.failoverPriority?.length));
}
