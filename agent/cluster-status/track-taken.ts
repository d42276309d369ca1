import type { Resource } from '../../src/config/resource.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import type { Controller } from '../controller.ts';
import { digestOf, encodeDigest } from './digest.ts';
import { versionedResources } from './versioned.ts';

/** Remembers which state of the configuration each proxy runs. */
export interface TakenTracker {
  /** @param applied the controller has just handed out what its mesh has; else some proxy has answered */
  look(applied: boolean): void;
  /** By the proxy's id, encoded. */
  taken(): ReadonlyMap<string, string>;
}

/**
 * A proxy has what the mesh had of which its snapshot was made, once it runs that snapshot; while it is on its way or refused, what it had
 * before.
 */
export function trackTaken(controller: Pick<Controller, 'mesh' | 'proxies'>): TakenTracker {
  const madeOf = new WeakMap<Snapshot, readonly Resource[]>();
  /** Of states that were not asked about yet: hashing waits until then. */
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

  function forget(id: string): void {
    fresh.delete(id);
    known.delete(id);
  }

  return {
    look(handedOut) {
      const mesh = controller.mesh();
      const ids = new Set<string>();
      for (const { node, applied, sent, refused, snapshot } of controller.proxies()) {
        ids.add(node.id);
        if (applied === undefined) forget(node.id);
        if (mesh === undefined || snapshot === undefined || refused !== undefined) continue;
        if (handedOut) madeOf.set(snapshot, mesh.resources);
        const resources = madeOf.get(snapshot);
        const runs = applied !== undefined && (sent === undefined || sent === applied.version);
        if (runs && resources !== undefined) fresh.set(node.id, resources);
      }
      for (const id of [...fresh.keys(), ...known.keys()]) if (!ids.has(id)) forget(id);
    },
    taken() {
      for (const [id, resources] of fresh) known.set(id, encode(resources));
      fresh.clear();
      return known;
    },
  };
}
