import type { DestinationRuleView, EffectivePolicy, ResolvedMeshConfig, ServicePort } from '../../mesh/types.ts';

/** The blocks that a port level replaces as a whole. */
const portBlocks = ['connectionPool', 'loadBalancer', 'outlierDetection', 'tls'] as const;
/** The blocks that exist at the top and in subsets only. */
const plainBlocks = ['proxyProtocol', 'tunnel', 'retryBudget'] as const;

/** A traffic policy as it stands in a DestinationRule, at the top or in a subset. */
type PolicyLevel = EffectivePolicy & {
  portLevelSettings?: readonly (Omit<EffectivePolicy, (typeof plainBlocks)[number]> & { port?: { number?: number } })[];
};

const none: EffectivePolicy = Object.freeze({});

/**
 * The traffic policy that holds for one port and subset of a service.
 *
 * Istio: a port level replaces all four of its blocks (what it leaves out falls to defaults, not to the level above);
 * a subset replaces block by block. A subset that the rule does not have gives the top level's policy.
 */
export function effectivePolicy(
  rule: DestinationRuleView | undefined,
  port: Pick<ServicePort, 'number'>,
  subset?: string,
): EffectivePolicy {
  if (rule === undefined) return none;
  const top = rule.spec.trafficPolicy as PolicyLevel | undefined;
  const own = subset ? (rule.spec.subsets?.find((s) => s.name === subset)?.trafficPolicy as PolicyLevel | undefined) : undefined;
  if (top === undefined && own === undefined) return none;
  // One level without ports says it all: most rules, and no copies of them.
  if (top !== undefined && own === undefined && top.portLevelSettings === undefined) return top;
  const policy: EffectivePolicy = {};
  for (const level of [top, own]) {
    if (level === undefined) continue;
    const atPort = level.portLevelSettings?.find((s) => s.port?.number === port.number);
    for (const block of portBlocks) {
      const value = (atPort ?? level)[block];
      if (atPort !== undefined) delete policy[block];
      if (value !== undefined) (policy as Record<string, unknown>)[block] = value;
    }
    for (const block of plainBlocks) {
      if (level[block] !== undefined) (policy as Record<string, unknown>)[block] = level[block];
    }
  }
  return policy;
}

/** Fills what a rule leaves open from the mesh's `defaultTrafficPolicy`: connection pool and outlier detection, each as a whole. */
export function withMeshDefaults(policy: EffectivePolicy, config: ResolvedMeshConfig): EffectivePolicy {
  const defaults = (config as { defaultTrafficPolicy?: EffectivePolicy }).defaultTrafficPolicy;
  if (defaults === undefined) return policy;
  const connectionPool = policy.connectionPool ?? defaults.connectionPool;
  const outlierDetection = policy.outlierDetection ?? defaults.outlierDetection;
  return { ...policy, ...(connectionPool && { connectionPool }), ...(outlierDetection && { outlierDetection }) };
}
