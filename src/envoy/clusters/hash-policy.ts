import type { RouteAction_HashPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { EffectivePolicy, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { envoyDuration } from '../duration.ts';
import { effectivePolicy } from './effective-policy.ts';

type ConsistentHash = NonNullable<NonNullable<EffectivePolicy['loadBalancer']>['consistentHash']>;

function hashPolicy(hash: ConsistentHash): RouteAction_HashPolicyJson | undefined {
  if (hash.httpHeaderName) return { header: { headerName: hash.httpHeaderName } };
  if (hash.httpCookie) {
    const { name, ttl, path, attributes } = hash.httpCookie;
    // A ttl of 0s stays: it asks for a generated session cookie. Without ttl Envoy generates none.
    const ms = ttl === undefined ? undefined : parseDuration(ttl);
    return {
      cookie: {
        name,
        ...(ms !== undefined && { ttl: envoyDuration(ms) }),
        ...(path && { path }),
        ...(attributes?.length && { attributes: attributes.map((a) => ({ name: a.name, ...(a.value && { value: a.value }) })) }),
      },
    };
  }
  if (hash.useSourceIp) return { connectionProperties: { sourceIp: true } };
  if (hash.httpQueryParameterName) return { queryParameter: { name: hash.httpQueryParameterName } };
  return undefined;
}

/**
 * The consistent-hash settings of a destination, the first found of: the subset's port level, the subset, the top port level, the top.
 * This is a search of its own: unlike the cluster's policy, a port level without `consistentHash` does not hide the level above (Istio).
 */
function consistentHashOf(
  scope: ProxyScope,
  service: Service,
  subset: string | undefined,
  port: Pick<ServicePort, 'number'>,
): ConsistentHash | undefined {
  const rule = scope.destinationRule(service);
  if (rule === undefined) return undefined;
  const own = subset ? rule.spec.subsets?.find((s) => s.name === subset)?.trafficPolicy : undefined;
  for (const level of [own, rule.spec.trafficPolicy]) {
    const found =
      level?.portLevelSettings?.find((s) => s.port?.number === port.number)?.loadBalancer?.consistentHash ??
      level?.loadBalancer?.consistentHash;
    if (found) return found;
  }
  return undefined;
}

/**
 * Hash policies of a route to one destination; empty without consistent hashing. On a weighted route the policies of all destinations are listed.
 *
 * @param service undefined: the destination is unknown here
 * @param port the destination's service port
 */
export function routeHashPolicies(
  scope: ProxyScope,
  service: Service | undefined,
  subset: string | undefined,
  port: Pick<ServicePort, 'number'>,
): RouteAction_HashPolicyJson[] {
  const hash = service && consistentHashOf(scope, service, subset, port);
  const policy = hash && hashPolicy(hash);
  return policy ? [policy] : [];
}

/** True when connections to this destination are to be spread by client address: `hash_policy [{ source_ip: {} }]` of a tcp_proxy. */
export function hashesSourceIp(
  scope: ProxyScope,
  service: Service | undefined,
  subset: string | undefined,
  port: Pick<ServicePort, 'number'>,
): boolean {
  if (service === undefined) return false;
  return effectivePolicy(scope.destinationRule(service), port, subset).loadBalancer?.consistentHash?.useSourceIp === true;
}
