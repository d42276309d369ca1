import { isDeepStrictEqual } from 'node:util';
import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { sameItems } from '../../mesh/model-memo.ts';
import type { BuildContext } from '../context.ts';

/** Direct responses may be this long: Envoy's default is 4 KiB, Istio's API promises 1 MiB. */
const maxDirectResponseBytes = 1_048_576;

/**
 * A route configuration that is delivered by RDS.
 *
 * @param allPorts the listener serves every port: domains carry ports then, which Envoy must not cut off before it compares
 */
export function routeConfiguration(name: string, virtualHosts: readonly VirtualHostJson[], allPorts = false): RouteConfigurationJson {
  return {
    name,
    virtualHosts: virtualHosts as VirtualHostJson[],
    validateClusters: false,
    maxDirectResponseBodySizeBytes: maxDirectResponseBytes,
    ...(!allPorts && { ignorePortInHostMatching: true }),
  };
}

/** Virtual hosts, with those of `before` in place of equal ones. */
function keptHosts(hosts: readonly VirtualHostJson[], before: readonly VirtualHostJson[]): VirtualHostJson[] {
  const known = new Map(before.map((host) => [host.name!, host]));
  return hosts.map((host) => {
    const old = known.get(host.name!);
    return old !== undefined && (old === host || isDeepStrictEqual(old, host)) ? old : host;
  });
}

/** A route configuration in which whatever equals that of the build before is the same object: each virtual host, and all of it. */
export function keptRouteConfiguration({ memo }: BuildContext, made: RouteConfigurationJson): RouteConfigurationJson {
  const slot = `route configuration ${made.name}`;
  const before = memo.last<RouteConfigurationJson>(slot);
  if (before === undefined) return memo.keep(slot, made);
  const { virtualHosts: old = [], ...oldRest } = before;
  const { virtualHosts = [], ...rest } = made;
  const hosts = sameItems(old, virtualHosts) ? old : keptHosts(virtualHosts, old);
  return memo.keep(slot, sameItems(old, hosts) && isDeepStrictEqual(oldRest, rest) ? before : { ...made, virtualHosts: hosts });
}
