import { createHash } from 'node:crypto';

/** Hashes of resources, which are never changed once they are made: those that a build keeps need no second look. */
const hashes = new WeakMap<object, string>();

/** A hash of one resource's content. Equal content in equal key order gives equal hashes. */
export function resourceHash(resource: object): string {
  let hash = hashes.get(resource);
  if (hash === undefined) {
    hash = createHash('sha256').update(JSON.stringify(resource)).digest('base64url');
    hashes.set(resource, hash);
  }
  return hash;
}

/** A hash over lists of resources, each list with its own place: 16 hex digits. */
export function versionOf(...lists: readonly (readonly object[])[]): string {
  const hash = createHash('sha256');
  for (const list of lists) {
    for (const resource of list) hash.update(resourceHash(resource));
    hash.update('|');
  }
  return hash.digest('hex').slice(0, 16);
}
