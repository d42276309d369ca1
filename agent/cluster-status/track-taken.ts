import type { Resource } from '../../src/config/resource.ts';
import type { Controller } from '../controller.ts';
import { digestOf, encodeDigest } from './digest.ts';
import { versionedResources } from './versioned.ts';

/** Remembers which state of the configuration each proxy runs. */
export interface TakenTracker {
  /** After each round of the controller. */
  look(): void;
  /** By the proxy's id, encoded. */
  taken(): ReadonlyMap<string, string>;
}

/** A proxy has what the controller's mesh has when its newest config was applied, and what it had before when that was refused. */
export function trackTaken(controller: Pick<Controller, 'mesh' | 'proxies'>): TakenTracker {
  /** Of a mesh that was not asked about yet: hashing waits until then. */
  const fresh = new Map<string, readonly Resource[]>();
  const known = new Map<string, string>();
  const encoded = new WeakMap<readonly Resource[], string>();

  function encode(resources: readonly Resource[]): string {
    let text = encoded.get(resources);
    if (text === undefined) {
      text = encodeDigest(digestOf(versionedResources(resources)));
      encoded.set(resources, text);
    }
    return text;
  }

  return {
    look() {
      const mesh = controller.mesh();
      const ids = new Set<string>();
      for (const { node, applied, refused } of controller.proxies()) {
        ids.add(node.id);
        if (mesh === undefined || applied === undefined || refused !== undefined) continue;
        fresh.set(node.id, mesh.resources);
      }
      for (const id of [...fresh.keys(), ...known.keys()]) {
        if (ids.has(id)) continue;
        fresh.delete(id);
        known.delete(id);
      }
    },
    taken() {
      for (const [id, resources] of fresh) known.set(id, encode(resources));
      fresh.clear();
      return known;
    },
  };
}
