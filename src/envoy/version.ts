import { createHash, hash } from 'node:crypto';
import { getOrMake } from '../mesh/memo.ts';

/** Hashes of resources, which are never changed once they are made: those that a build keeps need no second look. */
const hashes = new WeakMap<object, string>();

/** A hash of one resource's content. Equal content in equal key order gives equal hashes. */
export function resourceHash(resource: object): string {
  return getOrMake(hashes, resource, () => hash('sha256', JSON.stringify(resource), 'base64url'));
}

/** Of whole lists, which are never changed either. */
const listHashes = new WeakMap<object, string>();

/** Resources that are made into one text: large enough to save calls, small enough to save memory. */
const chunk = 128;

/** Of a list that is kept or made anew as a whole: nothing is remembered of its resources. */
function wholeHash(list: readonly object[]): string {
  const sum = createHash('sha256');
  for (let at = 0; at < list.length; at += chunk) sum.update(JSON.stringify(list.slice(at, at + chunk)));
  return sum.digest('base64url');
}

const joinedHash = (list: readonly object[]): string => hash('sha256', list.map(resourceHash).join(), 'base64url');

/**
 * A hash over a snapshot's lists, each with its own place: 16 hex digits.
 *
 * @param whole lists that change as a whole: listeners, routes, clusters
 * @param pieces a list of which most stays when something changes: endpoints
 */
export function versionOf(whole: readonly (readonly object[])[], pieces: readonly object[]): string {
  const parts = whole.map((list) => getOrMake(listHashes, list, () => wholeHash(list)));
  return hash('sha256', [...parts, getOrMake(listHashes, pieces, () => joinedHash(pieces))].join('|'), 'hex').slice(0, 16);
}
