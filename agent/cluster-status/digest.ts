/**
 * Which generations of a cluster's objects a proxy has taken, in a few kilobytes however many objects there are. Objects are spread over a
 * fixed number of sums by their uid; each sum adds up a number for each object and generation. Where the sums of two readers are equal both
 * have the same, and a difference that one change explains names the object that changed.
 */
import { createHash } from 'node:crypto';

/** An object as far as it counts here. */
export interface Versioned {
  readonly uid: string;
  readonly generation: number;
}

/** The sums, each below 2^48. */
export type Digest = readonly number[];

export const SUMS = 256;
const BYTES = 6;
const MODULUS = 2 ** 48;

interface Part {
  sum: number;
  value: number;
}

function partOf({ uid, generation }: Versioned): Part {
  const place = createHash('sha256').update(uid).digest();
  const value = createHash('sha256').update(`${uid}/${generation}`).digest();
  return { sum: place.readUInt8(0), value: value.readUIntBE(0, BYTES) };
}

const parts = new WeakMap<Versioned, Part>();

/** Hashing is most of the work, and objects stay. */
function keptPart(object: Versioned): Part {
  let part = parts.get(object);
  if (part === undefined) {
    part = partOf(object);
    parts.set(object, part);
  }
  return part;
}

/** What a reader of these objects has. */
export function digestOf(objects: Iterable<Versioned>): Digest {
  const sums = new Array<number>(SUMS).fill(0);
  for (const object of objects) {
    const { sum, value } = keptPart(object);
    sums[sum] = (sums[sum]! + value) % MODULUS;
  }
  return sums;
}

/** As base64. */
export function encodeDigest(digest: Digest): string {
  const bytes = Buffer.alloc(SUMS * BYTES);
  for (const [i, sum] of digest.entries()) bytes.writeUIntBE(sum, i * BYTES, BYTES);
  return bytes.toString('base64');
}

/** undefined for what is none. */
export function decodeDigest(text: string): Digest | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== SUMS * BYTES) return undefined;
  return Array.from({ length: SUMS }, (_, i) => bytes.readUIntBE(i * BYTES, BYTES));
}

/** What one reader has of what another one has. */
export interface Taken {
  /** Whether it has the object in the generation that the other one has. False where that cannot be told. */
  has(object: Versioned): boolean;
}

/** How many generations a reader may be behind with an object for that to be told. */
const BEHIND = 4;

/**
 * @param own what the other one has
 * @param objects of which `own` is made
 */
export function compareDigests(theirs: Digest, own: Digest, objects: readonly Versioned[]): Taken {
  const open = new Map<number, Versioned[]>();
  for (let i = 0; i < SUMS; i++) if (theirs[i] !== own[i]) open.set(i, []);
  if (open.size === 0) return { has: () => true };
  for (const object of objects) open.get(keptPart(object).sum)?.push(object);
  /** Of each sum that differs: the one object that makes the difference; undefined: any of them may. */
  const missing = new Map<number, Versioned | undefined>();
  for (const [sum, candidates] of open) missing.set(sum, explain((own[sum]! - theirs[sum]! + MODULUS) % MODULUS, candidates));
  return {
    has(object) {
      const { sum } = keptPart(object);
      if (!missing.has(sum)) return true;
      const one = missing.get(sum);
      return one !== undefined && one.uid !== object.uid;
    },
  };
}

/** The object that `difference` is about: it is not there on the other side, or in another generation. */
function explain(difference: number, candidates: readonly Versioned[]): Versioned | undefined {
  return candidates.find((object) => {
    const { value } = keptPart(object);
    if (value === difference) return true;
    const { uid, generation } = object;
    for (let other = Math.max(1, generation - BEHIND); other <= generation + 1; other++)
      if (other !== generation && (value - partOf({ uid, generation: other }).value + MODULUS) % MODULUS === difference) return true;
    return false;
  });
}
