import type { DestinationRule } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { effectivePolicy, withMeshDefaults } from '../envoy/clusters/effective-policy.ts';
import type { DestinationRuleView, Mesh, ServicePort } from '../mesh/types.ts';
import { originAt } from './origin-at.ts';
import type { PolicyBlock } from './types.ts';

type Level = Readonly<Record<string, unknown>> & {
  portLevelSettings?: readonly (Record<string, unknown> & { port?: { number?: number } })[];
};

/** `simple ROUND_ROBIN, warmup.duration 10s`. */
export function flat(value: unknown, path = ''): string {
  if (typeof value !== 'object' || value === null) return path === '' ? String(value) : `${path} ${String(value)}`;
  if (Array.isArray(value) && value.every((v) => typeof v !== 'object')) return `${path} ${value.join(' ')}`;
  return Object.entries(value)
    .map(([key, inner]) => flat(inner, path === '' ? key : `${path}.${key}`))
    .join(', ');
}

/**
 * The traffic policy of one port, of a subset where one is named, each block with the level and the line that it is from: the very
 * values that clusters are made of.
 */
export function trafficPolicy(
  mesh: Mesh,
  rule: DestinationRuleView | undefined,
  port: Pick<ServicePort, 'number'>,
  subset?: string,
): PolicyBlock[] {
  const policy = withMeshDefaults(effectivePolicy(rule, port, subset), mesh.config);
  return Object.entries(policy).flatMap(([block, value]): PolicyBlock[] => {
    if (value === undefined || block === 'portLevelSettings') return [];
    return [{ block, text: flat(value), value, ...originOfBlock(mesh, rule, block, value, subset) }];
  });
}

/** Blocks are handed on as the objects that were parsed, so the level is the one that holds the very object. */
function originOfBlock(
  mesh: Mesh,
  rule: DestinationRuleView | undefined,
  block: string,
  value: unknown,
  subset: string | undefined,
): Pick<PolicyBlock, 'level' | 'origin'> {
  const index = rule?.spec.subsets?.findIndex((s) => s.name === subset) ?? -1;
  const own = rule?.subsetOrigins[index];
  if (rule !== undefined && own !== undefined) {
    const found = inLevel(rule.spec.subsets?.[index]?.trafficPolicy as Level | undefined, block, value);
    const path = [...own.path, 'trafficPolicy', ...(found ?? [])];
    if (found !== undefined) return { level: found.length > 1 ? 'subset port' : 'subset', origin: originAt(own.resource, path) };
  }
  // Of several rules of one host the policy may be a younger one's.
  const writer = mesh
    .ofKind<DestinationRule>('DestinationRule')
    .find((r: Resource<DestinationRule>) => r.spec.trafficPolicy !== undefined && r.spec.trafficPolicy === rule?.spec.trafficPolicy);
  const found = inLevel(rule?.spec.trafficPolicy as Level | undefined, block, value);
  if (writer !== undefined && found !== undefined)
    return { level: found.length > 1 ? 'port' : 'rule', origin: originAt(writer, ['spec', 'trafficPolicy', ...found]) };
  return { level: 'mesh' };
}

function inLevel(level: Level | undefined, block: string, value: unknown): (string | number)[] | undefined {
  const at = level?.portLevelSettings?.findIndex((s) => s[block] === value) ?? -1;
  if (at >= 0) return ['portLevelSettings', at, block];
  return level?.[block] === value ? [block] : undefined;
}
