/** Two independent parsers must see the same in a document: the fast one's values, and its positions, against the `yaml` package. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, parseDocument as parseSlow, Scalar } from 'yaml';
import { documentTree, findNode } from '../../../src/config/yaml/document-tree.ts';
import { parseDocument } from '../../../src/config/yaml/parse-document.ts';
import { resolveScalar, STRING } from '../../../src/config/yaml/resolve-scalar.ts';
import { type Random, random } from '../random.ts';

const plain = [
  'a',
  'yes',
  'off',
  'null',
  '~',
  '0777',
  '0x1F',
  '1_000',
  '.5',
  '-1',
  '1e3',
  'x y',
  'a:b',
  'x#y',
  '2020-01-01',
  'é漢字',
  '😀',
  '-x',
  '?x',
  '100%',
];
const quoted = ['"a\\tb"', '"\\u00e9 \\x41"', "'it''s'", '""', "''", '"a # b: c"', '"\\/"', '"---"'];
const keys = ['a', 'b', 'key', 'on', '1', 'app.kubernetes.io/name', '"q: k"', "'x'", 'constructor', '__proto__', 'toString'];

/** A random document, well formed most of the time. */
function makeNode(r: Random, depth: number, indent: string, flow: boolean): string {
  const kind = r.below(depth > 3 ? 4 : 9);
  if (kind < 2) return r.pick(flow ? plain.filter((s) => !s.startsWith('?')) : plain);
  if (kind === 2) return r.pick(quoted);
  if (kind === 3)
    return flow
      ? '""'
      : r.pick([
          '',
          `|\n${indent}  text\n${indent}    more\n\n${indent}  end`,
          `>-\n${indent}  folded\n${indent}  line`,
          `|+\n${indent}  keep\n`,
        ]);
  const count = r.below(4);
  if (kind === 4 || flow) {
    const list = r.below(2) === 0;
    const parts = Array.from({ length: count }, (_, i) => (list ? '' : `${keys[i]}: `) + makeNode(r, depth + 1, indent, true));
    return list ? `[${parts.join(', ')}]` : `{${parts.join(', ')}}`;
  }
  const start = r.below(count + 1);
  const inner = `${indent}  `;
  const lines: string[] = [];
  for (let i = 0; i <= count; i++) {
    const key = keys[(start + i * 3) % keys.length]!;
    const value = makeNode(r, depth + 1, inner, false);
    const comment = r.below(8) === 0 ? `${inner}# comment: "${key}"\n` : '';
    lines.push(`${comment}${inner}${kind < 7 ? `${key}:` : '-'}${value === '' || value.startsWith('\n') ? value : ` ${value}`}`);
  }
  return `\n${lines.join('\n')}`;
}

/** The value of the `yaml` package's tree, plain scalars by the rules of kubectl. */
function readSlow(node: Node | null, document: Document): unknown {
  if (node === null) return null;
  if (isAlias(node)) return readSlow(node.resolve(document) ?? null, document);
  if (isScalar(node)) {
    if (node.type !== Scalar.PLAIN) return node.value;
    const value = resolveScalar(String(node.source ?? ''));
    return value === STRING ? node.source : value;
  }
  if (isSeq(node)) return node.items.map((item) => readSlow(item as Node, document));
  assert.ok(isMap(node));
  const map: Record<string, unknown> = Object.create(null);
  for (const pair of node.items) {
    assert.ok(isPair(pair));
    map[String(readSlow(pair.key as Node, document))] = readSlow(pair.value as Node | null, document);
  }
  return map;
}

/** Compares what JSON can say, key by key: `__proto__` is a key like any other. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(canonical)];
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? 0 : value;
  return [
    'map',
    ...Object.keys(value)
      .sort()
      .map((key) => [key, canonical((value as Record<string, unknown>)[key])]),
  ];
}

/** Checks the position of each value that has text of its own. */
function comparePositions(node: Node | null, path: (string | number)[], text: string): number {
  if (node === null || isAlias(node)) return 0;
  let checked = 0;
  const found = findNode(documentTree(text), path);
  assert.is(found.depth, path.length, `nothing at ${JSON.stringify(path)} of\n${text}`);
  if (!(isScalar(node) && (node.source ?? '') === '' && node.type === Scalar.PLAIN)) {
    assert.is(found.node.start, node.range![0], `position of ${JSON.stringify(path)} in\n${text}`);
    checked++;
  }
  if (isSeq(node)) for (const [i, item] of node.items.entries()) checked += comparePositions(item as Node, [...path, i], text);
  if (isMap(node)) {
    for (const pair of node.items) {
      const key = pair.key as Scalar;
      const value = key.type === Scalar.PLAIN ? resolveScalar(String(key.source)) : STRING;
      const name = value === STRING ? String(key.value) : String(value);
      const entry = findNode(documentTree(text), [...path, name]).entry;
      assert.is(entry?.keyStart, key.range![0], `position of key ${JSON.stringify([...path, name])} in\n${text}`);
      checked += comparePositions(pair.value as Node | null, [...path, name], text);
    }
  }
  return checked;
}

test('values and positions agree with the yaml package on random documents', () => {
  const r = random(20260101);
  let compared = 0;
  let positions = 0;
  for (let i = 0; i < 3000; i++) {
    const text = `${makeNode(r, 0, '', false)
      .replace(/^\n {2}/, '')
      .replace(/\n {2}/g, '\n')}\n`;
    const outcome = parseDocument(text);
    const slow = parseSlow(text, { version: '1.2', schema: 'failsafe', uniqueKeys: true, logLevel: 'silent' });
    if (slow.errors.length > 0) continue;
    // A key that is null (`~`) or twice after resolving is refused by the fast parser alone.
    if (!outcome.ok && /duplicated mapping key|must not be empty/.test(outcome.failure.reason)) continue;
    assert.ok(outcome.ok, `${outcome.ok ? '' : outcome.failure.reason} in\n${text}`);
    assert.equal(canonical(outcome.ok && outcome.value), canonical(readSlow(slow.contents as Node, slow)), text);
    compared++;
    if (i % 3 === 0) positions += comparePositions(slow.contents as Node, [], text);
  }
  assert.ok(compared > 2000, `${compared} documents were compared`);
  assert.ok(positions > 2000, `${positions} positions were compared`);
});

test('each notation alone', () => {
  for (const scalar of [...plain, ...quoted]) {
    const text = `k: ${scalar}\n`;
    const outcome = parseDocument(text);
    assert.ok(outcome.ok, text);
    const slow = parseSlow(text, { schema: 'failsafe' });
    assert.equal(canonical(outcome.ok && outcome.value), canonical(readSlow(slow.contents as Node, slow)), text);
  }
});

test('aliases and merge keys', () => {
  const outcome = parseDocument('base: &b {p: 1, q: 2}\none: *b\ntwo:\n  <<: *b\n  q: 3\nthree:\n  <<: [{r: 1}, *b]\n');
  assert.ok(outcome.ok);
  assert.equal(outcome.ok && outcome.value, {
    base: { p: 1, q: 2 },
    one: { p: 1, q: 2 },
    two: { p: 1, q: 3 },
    three: { r: 1, p: 1, q: 2 },
  });
});

test('explicit tags', () => {
  const read = (text: string): unknown => {
    const outcome = parseDocument(text);
    return outcome.ok ? outcome.value : outcome.failure.reason;
  };
  assert.equal(read('[!!str 1, !!str yes, !!int "3", !!float 3, !!null ~, !!bool "on", ! 12]'), ['1', 'yes', 3, 3, null, true, '12']);
  assert.match(String(read('a: !!binary aGk=')), /binary/);
  assert.match(String(read('a: !custom x')), /custom/);
  assert.match(String(read('!!int x')), /int/);
});

test.run();
