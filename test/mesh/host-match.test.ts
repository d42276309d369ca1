import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareSpecificity, completeHost, coveringPatterns, covers, intersects, mostSpecific } from '../../src/mesh/host-match.ts';

const completions: [host: string, complete: string][] = [
  ['reviews', 'reviews.foo.svc.cluster.local'],
  ['Reviews', 'reviews.foo.svc.cluster.local'],
  ['reviews.bar', 'reviews.bar'],
  ['*', '*'],
  ['10.0.0.1', '10.0.0.1'],
  ['::1', '::1'],
  ['*.example.com', '*.example.com'],
];

for (const [host, complete] of completions) {
  test(`${host} named in namespace foo is ${complete}`, () => {
    assert.is(completeHost(host, 'foo', 'cluster.local'), complete);
  });
}

const coverings: [pattern: string, host: string, yes: boolean][] = [
  ['*.foo.com', 'a.foo.com', true],
  ['*.foo.com', 'a.b.foo.com', true],
  ['*.foo.com', '*.a.foo.com', true],
  ['*.foo.com', '*.foo.com', true],
  ['*.foo.com', 'foo.com', false],
  ['*.foo.com', '*.com', false],
  ['*.foo.com', 'xfoo.com', false],
  ['*.foo.com', '*', false],
  ['*', 'anything', true],
  ['*', '*.foo.com', true],
  ['a.foo.com', 'a.foo.com', true],
  ['a.foo.com', '*.foo.com', false],
];

for (const [pattern, host, yes] of coverings) {
  test(`${pattern} ${yes ? 'covers' : 'does not cover'} ${host}`, () => {
    assert.is(covers(pattern, host), yes);
  });
}

test('two hosts intersect when one covers the other', () => {
  assert.ok(intersects('*.foo.com', 'a.foo.com'));
  assert.ok(intersects('a.foo.com', '*.foo.com'));
  assert.not.ok(intersects('*.foo.com', '*.bar.com'));
});

test('the most specific is exact, then longer, then first by alphabet', () => {
  const hosts = ['*', '*.com', 'b.foo.com', '*.foo.com', 'a.foo.com', 'long.name.foo.com', '*.bar.com'];
  assert.equal(hosts.sort(compareSpecificity), ['long.name.foo.com', 'a.foo.com', 'b.foo.com', '*.bar.com', '*.foo.com', '*.com', '*']);
});

test('a lookup takes the most specific covering key', () => {
  const rules = new Map([
    ['*', 'any'],
    ['*.com', 'com'],
    ['*.foo.com', 'foo'],
    ['a.foo.com', 'a'],
  ]);
  assert.is(mostSpecific(rules, 'a.foo.com'), 'a');
  assert.is(mostSpecific(rules, 'b.foo.com'), 'foo');
  assert.is(mostSpecific(rules, 'foo.com'), 'com');
  assert.is(mostSpecific(rules, '*.foo.com'), 'foo');
  assert.is(mostSpecific(rules, '*.b.foo.com'), 'foo');
  assert.is(mostSpecific(rules, 'foo.org'), 'any');
  assert.is(mostSpecific(rules, '*'), 'any');
  assert.is(mostSpecific(new Map([['*.org', 1]]), 'foo.com'), undefined);
});

test('every covering pattern covers its host', () => {
  for (const host of ['a.b.c.d', '*.b.c', '*', 'single'])
    for (const pattern of coveringPatterns(host)) assert.ok(covers(pattern, host), `${pattern} ${host}`);
});

test.run();
