/** Which generations another reader has, told from a few kilobytes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareDigests, decodeDigest, digestOf, encodeDigest, type Versioned } from '../../../agent/cluster-status/digest.ts';

const objects = (count: number, generation = 1): Versioned[] => Array.from({ length: count }, (_, i) => ({ uid: `uid-${i}`, generation }));
const changed = (all: readonly Versioned[], i: number, generation: number): Versioned[] =>
  all.map((o, j) => (i === j ? { ...o, generation } : o));

/** What a reader of `theirs` has of `own`, by number. */
function missing(theirs: readonly Versioned[], own: readonly Versioned[]): number[] {
  const sent = decodeDigest(encodeDigest(digestOf(theirs)))!;
  const taken = compareDigests(sent, digestOf(own), own);
  return own.flatMap((object, i) => (taken.has(object) ? [] : [i]));
}

test('the same objects are the same digest, in any order, and a few kilobytes however many they are', () => {
  const all = objects(5000);
  assert.equal(digestOf(all), digestOf([...all].reverse()));
  assert.equal(missing(all, objects(5000)), []);
  assert.is(encodeDigest(digestOf(all)).length, encodeDigest(digestOf(objects(1))).length);
  assert.ok(encodeDigest(digestOf(all)).length < 2100);
});

test('an object that is new, changed, or changed more than once, is the one that is missing', () => {
  const all = objects(5000);
  assert.equal(missing(all.slice(0, -1), all), [4999]);
  assert.equal(missing(all, changed(all, 17, 2)), [17]);
  assert.equal(missing(all, changed(all, 17, 4)), [17]);
  assert.equal(missing(changed(all, 17, 3), changed(all, 17, 4)), [17]);
});

test('a reader that is ahead does not have the older generation', () => {
  const all = objects(50);
  assert.equal(missing(changed(all, 3, 2), all), [3]);
});

test('several that are missing: none of them is taken for there, and few others for missing', () => {
  const all = objects(5000);
  let own: Versioned[] = all;
  const which = [3, 500, 999, 1234, 4000];
  for (const i of which) own = changed(own, i, 2);
  const found = missing(all, own);
  for (const i of which) assert.ok(found.includes(i), String(i));
  assert.ok(found.length <= 5 * 60, `${found.length}`);
});

test('an object that was made anew under its name is another one', () => {
  const all = objects(10);
  const own = all.map((o, i) => (i === 5 ? { uid: 'another', generation: 1 } : o));
  assert.ok(missing(all, own).includes(5));
});

test('what is no digest is none', () => {
  assert.is(decodeDigest(''), undefined);
  assert.is(decodeDigest('AAAA'), undefined);
});

test.run();
