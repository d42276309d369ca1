/** What a proxy is to have. */
import { hash } from 'node:crypto';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { EncodeMessage } from '../../src/envoy/encode.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { resourceOf, type XdsResource } from './resource.ts';
import { RESOURCE_TYPES, type ResourceKind } from './resource-types.ts';

/** By name. The same object as long as nothing of the type changes. */
export type ResourceSet = ReadonlyMap<string, XdsResource>;

export interface Desired {
  readonly version: string;
  readonly sets: Readonly<Record<ResourceKind, ResourceSet>>;
}

const NONE: ResourceSet = new Map();
const sets = new WeakMap<readonly object[], ResourceSet>();
const versions = new WeakMap<ResourceSet, string>();

/** A list's resources by name; the same object for the same list. */
export function setOf(kind: ResourceKind, list: readonly object[], encode: EncodeMessage): ResourceSet {
  let found = sets.get(list);
  if (found === undefined) {
    found = new Map(list.map((json) => resourceOf(RESOURCE_TYPES[kind], json, encode)).map((r) => [r.name, r]));
    sets.set(list, found);
  }
  return found;
}

/** A snapshot and the proxy's secrets as resources. */
export function desiredOf(
  snapshot: Snapshot,
  { secrets, about }: { secrets: readonly SecretJson[] | undefined; about: readonly object[] | undefined },
  encode: EncodeMessage,
): Desired {
  const { version, clusters, endpoints, listeners, routes } = snapshot;
  return {
    version,
    sets: {
      about: about ? setOf('about', about, encode) : NONE,
      secret: secrets ? setOf('secret', secrets, encode) : NONE,
      cluster: setOf('cluster', clusters, encode),
      endpoint: setOf('endpoint', endpoints, encode),
      listener: setOf('listener', listeners, encode),
      route: setOf('route', routes, encode),
    },
  };
}

/** The same with one type replaced. */
export function withSet(
  desired: Desired,
  version: string,
  kind: 'endpoint' | 'secret' | 'about',
  list: readonly object[],
  encode: EncodeMessage,
): Desired {
  return { version, sets: { ...desired.sets, [kind]: setOf(kind, list, encode) } };
}

/** The version of all resources of a type together (`version_info`). */
export function setVersion(set: ResourceSet): string {
  let version = versions.get(set);
  if (version === undefined) {
    version = hash('sha256', JSON.stringify([...set.values()].map((r) => [r.name, r.version])), 'hex').slice(0, 16);
    versions.set(set, version);
  }
  return version;
}
