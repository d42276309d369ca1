import { hash } from 'node:crypto';
import { getOrMake } from '../mesh/memo.ts';

/** Hashes of resources, which are never changed once they are made: those that a build keeps need no second look. */
const hashes = new WeakMap<object, string>();

/** A hash of one resource's content. Equal content in equal key order gives equal hashes. */
export function resourceHash(resource: object): string {
  return getOrMake(hashes, resource, () => hash('sha256', JSON.stringify(resource), 'base64url'));
}

/** Of whole lists, which are never changed either. */
const listHashes = new WeakMap<object, string>();

function listHash(list: readonly object[]): string {
  return getOrMake(listHashes, list, () => hash('sha256', list.map(resourceHash).join(), 'base64url'));
}

/** A hash over lists of resources, each list with its own place: 16 hex digits. */
export function versionOf(...lists: readonly (readonly object[])[]): string {
  return hash('sha256', lists.map(listHash).join('|'), 'hex').slice(0, 16);
}
