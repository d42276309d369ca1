/**
 * Versions: hashes of what a snapshot holds. Lists are hashed in pieces, so that a change of a few resources costs a few pieces. The
 * module for it is loaded when the first version is asked for: commands that only show configuration never do.
 */

const sha256 = (text: string): string => process.getBuiltinModule('node:crypto').hash('sha256', text, 'base64url');

/** Resources in one piece: many enough for few calls, few enough for a quick second look. */
const piece = 128;

/** One hash for each piece of a list, in order. Equal content in equal key order gives equal hashes. */
export type ListHashes = readonly string[];

function pieceHash(list: readonly object[], index: number): string {
  return sha256(JSON.stringify(list.slice(index * piece, (index + 1) * piece)));
}

/** The hashes of a list. */
export function hashesOf(list: readonly object[]): ListHashes {
  return Array.from({ length: Math.ceil(list.length / piece) }, (_, index) => pieceHash(list, index));
}

/** The hashes of a list that differs at the places `changed` from one as long, which had `before`. */
export function hashesAfter(before: ListHashes, list: readonly object[], changed: Iterable<number>): ListHashes {
  const pieces = new Set<number>();
  for (const place of changed) pieces.add(Math.floor(place / piece));
  const hashes = [...before];
  for (const index of pieces) hashes[index] = pieceHash(list, index);
  return hashes;
}

/** One hash over several lists, each with its own place: 16 hex digits. */
export function versionOf(lists: readonly ListHashes[]): string {
  return Buffer.from(sha256(JSON.stringify(lists)), 'base64url').toString('hex', 0, 8);
}
