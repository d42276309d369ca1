/**
 * Versions: hashes of what a snapshot holds. Each resource is hashed once for as long as it is the same object, so that a change of a few
 * resources costs a few hashes. The module for it is loaded when the first version is asked for: commands that only show configuration
 * never do.
 */
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { getOrMake } from '../mesh/memo.ts';

const sha256 = (text: string): string => process.getBuiltinModule('node:crypto').hash('sha256', text, 'base64url');

const hashes = new WeakMap<object, string>();

/** Equal content in equal key order gives equal hashes. */
function hashOf(resource: object): string {
  return getOrMake(hashes, resource, () => sha256(JSON.stringify(resource)));
}

/** A large mesh is in a few route configurations: their virtual hosts are hashed one by one. */
function routeHash(routes: RouteConfigurationJson): string {
  return getOrMake(hashes, routes, () => {
    const { virtualHosts = [], ...rest } = routes;
    return sha256(`${virtualHosts.map(hashOf).join()} ${JSON.stringify(rest)}`);
  });
}

/** One hash over a snapshot's lists, each with its own place: 16 hex digits. */
export function versionOf(lists: {
  listeners: readonly object[];
  routes: readonly RouteConfigurationJson[];
  clusters: readonly object[];
  endpoints: readonly object[];
}): string {
  const { listeners, routes, clusters, endpoints } = lists;
  const all = [listeners.map(hashOf), routes.map(routeHash), clusters.map(hashOf), endpoints.map(hashOf)];
  return Buffer.from(sha256(all.map((list) => list.join()).join(' ')), 'base64url').toString('hex', 0, 8);
}
