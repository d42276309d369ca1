import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hashOf } from '../../src/routing/hash-policy.ts';
import { xxHash64, xxHash64OfWire } from '../../src/routing/xxhash64.ts';
import { forwarded, request } from './compiled.ts';

test('xxHash64 gives the published values', () => {
  const rows: [string, bigint, bigint][] = [
    ['', 0n, 0xef46db3751d8e999n],
    ['a', 0n, 0xd24ec4f1a98c6e5bn],
    ['abc', 0n, 0x44bc2cf5ad770999n],
    ['xxhash', 0n, 0x32dd38952c4bc720n],
    ['xxhash', 20141025n, 0xb559b98d844e0635n],
    ['Call me Ishmael. Some years ago--never mind how long precisely-', 0n, 0x02a2e85470d6fd96n],
    // Envoy's own.
    ['foo', 0n, 3728699739546630719n],
    ['bar', 0n, 5234164152756840025n],
    ['foo\nbar', 0n, 8917841378505826757n],
    ['lyft', 0n, 4400747396090729504n],
  ];
  for (const [text, seed, expected] of rows) assert.is(xxHash64(Buffer.from(text), seed), expected, text);
});

const hash = (hashPolicy: object[], headers: string[] = [], path = '/', more = {}) => {
  const r = request(path, headers, more);
  return hashOf(forwarded([{ match: { prefix: '/' }, route: { cluster: 'a', hashPolicy } }], r), r, '127.0.0.1:80127.0.0.1:90');
};

test('each policy hashes its own', () => {
  assert.is(hash([{ header: { headerName: 'X-K' } }], ['x-k', 'foo']).hash, xxHash64OfWire('foo'));
  assert.is(hash([{ header: { headerName: 'X-K' } }]).hash, undefined);
  assert.is(hash([{ header: { headerName: ':path' } }], [], '/foo').hash, xxHash64OfWire('/foo'));
  assert.is(hash([{ queryParameter: { name: 'k' } }], [], '/?k=foo&k=bar').hash, xxHash64OfWire('foo'));
  assert.is(hash([{ connectionProperties: { sourceIp: true } }], [], '/', { remoteAddress: '10.0.0.1' }).hash, xxHash64OfWire('10.0.0.1'));
  assert.is(hash([{ cookie: { name: 'k' } }], ['cookie', 'a=b; k="foo"']).hash, xxHash64OfWire('foo'));
  assert.is(
    hash([{ header: { headerName: 'x-k', regexRewrite: { pattern: { regex: '^(.).*' }, substitution: '\\1' } } }], ['x-k', 'foo']).hash,
    xxHash64OfWire('f'),
  );
});

test('the order of lines of one header does not count', () => {
  const policy = [{ header: { headerName: 'x-k' } }];
  assert.is(hash(policy, ['x-k', 'a', 'x-k', 'b']).hash, hash(policy, ['x-k', 'b', 'x-k', 'a']).hash);
  assert.is(hash(policy, ['x-k', 'a', 'x-k', 'b']).hash, xxHash64OfWire('b', xxHash64OfWire('a')));
});

test('policies combine by rotation, a terminal one ends the list', () => {
  const two = [{ header: { headerName: 'x-a' } }, { header: { headerName: 'x-b' } }];
  const [a, b] = [xxHash64OfWire('foo'), xxHash64OfWire('bar')];
  const rotated = ((a << 1n) & 0xffff_ffff_ffff_ffffn) | (a >> 63n);
  assert.is(hash(two, ['x-a', 'foo', 'x-b', 'bar']).hash, rotated ^ b);
  const terminal = [{ ...two[0], terminal: true }, two[1]!];
  assert.is(hash(terminal, ['x-a', 'foo', 'x-b', 'bar']).hash, a);
  assert.is(hash(terminal, ['x-b', 'bar']).hash, b);
});

test('a missing cookie is made only with a ttl', () => {
  assert.equal(hash([{ cookie: { name: 'k' } }]), { hash: undefined, setCookie: [] });
  const made = hash([
    { cookie: { name: 'k', ttl: '60s', path: '/p', attributes: [{ name: 'SameSite', value: 'Strict' }, { name: 'Secure' }] } },
  ]);
  const { value } = made.setCookie[0]!;
  assert.is(made.hash, xxHash64OfWire(value));
  assert.is(made.setCookie[0]!.header, `k="${value}"; Max-Age=60; Path=/p; SameSite=Strict; Secure; HttpOnly`);
  assert.is(hash([{ cookie: { name: 'k', ttl: '0s' } }]).setCookie[0]!.header, `k="${value}"; HttpOnly`);
});

test.run();
