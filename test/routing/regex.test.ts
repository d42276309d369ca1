import { RE2JS } from 're2js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeFullMatch } from '../../src/routing/native-regex.ts';
import { compileRegex, groupCount, parseSubstitution } from '../../src/routing/regex.ts';

const full = (pattern: string, text: string): boolean => {
  const regex = compileRegex(pattern);
  if (typeof regex === 'string') throw new Error(regex);
  return regex.fullMatch(text);
};

test('a match is a match of the whole text, alternatives included', () => {
  assert.ok(full('/a|/b', '/b'));
  assert.not(full('/a|/b', '/bc'));
  assert.not(full('^/a', '/ab'));
  assert.ok(full('^/a$', '/a'));
  assert.ok(full('(?i)abc', 'ABC'));
  assert.ok(full('\\d{3}', '123'));
});

test('pattern and text are bytes, as in Envoy', () => {
  const utf8 = Buffer.from('é').toString('latin1');
  assert.ok(full('é', utf8));
  assert.ok(full('..', utf8));
  assert.not(full('.', utf8));
  assert.not(full('[é]', utf8));
  assert.ok(full('.', '\xe9'));
  assert.ok(full('.*', '\xff\xfe'));
});

test('RE2 refuses what it cannot do in linear time', () => {
  for (const pattern of ['(?=a)', '(a)\\1', '(', 'a**', '[z-a]']) assert.is(typeof compileRegex(pattern), 'string', pattern);
});

test('property: the built-in engine answers as re2js wherever it is used', () => {
  const pieces = [
    'a',
    'b',
    '/',
    '.',
    '.*',
    '.+',
    '[a-c]',
    '[^/]',
    '[^/]+',
    '[0-9]+',
    '\\d',
    '\\d+',
    '\\w*',
    '\\.',
    'a?',
    '(a|b)',
    '(?:/v1|/v2)',
    '|',
    '-',
    '_',
    '\\-',
    '[a\\-z]',
    '(ab|c)?',
    '^',
    '$',
    '\\D',
    '[\\w.-]+',
    ' ',
    '%',
  ];
  const letters = ['a', 'b', 'c', '/', '1', '2', '.', '-', '_', 'v', '\n', '\r', ' ', 'A', '%'];
  let seed = 7;
  const next = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 10) % n;
  };
  let used = 0;
  for (let i = 0; i < 4000; i++) {
    let pattern = '';
    for (let k = 1 + next(6); k > 0; k--) pattern += pieces[next(pieces.length)];
    const native = nativeFullMatch(pattern);
    if (native === undefined) continue;
    used++;
    const re2 = RE2JS.compile(pattern);
    for (let k = 0; k < 12; k++) {
      let text = '';
      for (let n = next(7); n > 0; n--) text += letters[next(letters.length)];
      assert.is(native.test(text), re2.matches(text), JSON.stringify({ pattern, text }));
    }
  }
  assert.ok(used > 1000, `only ${used} patterns of 4000 were translated`);
});

test('patterns that could backtrack for long are left to re2js', () => {
  for (const pattern of [
    '(a+)+',
    '(a|a)*',
    '.*.*',
    'a*a*',
    '.*[0-9]+x',
    '\\w+a*',
    '(?i)a',
    'a{2}',
    '[[:alpha:]]',
    '\\pL',
    '\\bq',
    'a*?',
    '(?P<n>a)',
    '^a^',
    'é',
  ]) {
    assert.is(nativeFullMatch(pattern), undefined, pattern);
  }
  for (const pattern of ['/api/.*', '/v[0-9]+/users/[^/]+', '.*\\.png', '/(a|b)/.*', '^/x$', '[a-z0-9-]+\\.example\\.com', '.*']) {
    assert.ok(nativeFullMatch(pattern) !== undefined, pattern);
  }
});

test('property: texts that are long take linear time in the built-in engine', () => {
  const started = performance.now();
  for (const pattern of ['/api/.*', '.*\\.png', '/v[0-9]+/users/[^/]+', '[a-z0-9-]+\\.example\\.com']) {
    full(pattern, `/v${'1'.repeat(60_000)}`);
    full(pattern, '.png'.repeat(15_000));
    full(pattern, 'a'.repeat(60_000));
  }
  // A hang would take minutes; this only keeps the test from passing when it does.
  assert.ok(performance.now() - started < 20_000);
});

test('substitutions', () => {
  const replaced = (pattern: string, substitution: string, text: string): string => {
    const regex = compileRegex(pattern);
    const parts = parseSubstitution(substitution, groupCount(pattern)) ?? [];
    if (typeof regex === 'string' || 'error' in parts) throw new Error('refused');
    return regex.replaceAll(text, parts);
  };
  assert.is(replaced('^/(a)/(b)?', '/\\2\\1\\0', '/a/x'), '/a/a/x');
  assert.is(replaced('b+', '$1&', 'abba'), 'a$1&a');
  assert.is(replaced('é', 'e', Buffer.from('café').toString('latin1')), 'cafe');
  for (const text of ['\\x', 'a\\', '\\3\\x']) assert.ok('error' in (parseSubstitution(text, 2) ?? {}), text);
});

test.run();
