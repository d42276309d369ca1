/** The reader of plain documents and the parser of all of YAML must see the same, wherever the first one reads a document at all. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serviceYaml } from '../../../bench/service-yaml.ts';
import { documentTree, treeOfAnyDocument } from '../../../src/config/yaml/document-tree.ts';
import { parseAnyDocument, parseDocument } from '../../../src/config/yaml/parse-document.ts';
import { readPlainDocument } from '../../../src/config/yaml/plain-document.ts';
import { splitDocuments } from '../../../src/config/yaml/split-documents.ts';
import { random } from '../random.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Whether the document is read as a plain one, which is what the rest is about. */
const isPlain = (text: string): boolean =>
  readPlainDocument<object, Set<string>, object>(text, {
    ...{ plain: () => ({}), quoted: () => ({}), empty: () => ({}), list: () => ({}), push: () => undefined },
    map: () => new Set(),
    put: (names, name) => !names.has(name) && names.add(name) === names,
  }) !== undefined;

/** Everything of a value, with the order of keys and the sign of zero. */
const show = (value: unknown): string => inspect(value, { depth: Infinity, maxArrayLength: null, maxStringLength: null });

function compare(text: string): void {
  assert.is(show(parseDocument(text)), show(parseAnyDocument(text)), `value of\n${text}`);
  if (parseDocument(text).ok) assert.is(show(documentTree(text)), show(treeOfAnyDocument(text)), `positions of\n${text}`);
}

const documentsOf = (text: string): string[] => splitDocuments(text).map(({ start, end }) => text.slice(start, end));

const documents = ['examples', 'test', 'deploy']
  .flatMap((folder) => globSync(`${folder}/**/*.{yaml,yml}`, { cwd: root }))
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .filter((text) => text.length < 100_000)
  .flatMap(documentsOf);

test('every document of the examples and of the tests is the same to both', () => {
  assert.ok(documents.length > 500, `${documents.length}`);
  for (const text of documents) compare(text);
});

test('what people write is read as plain', () => {
  for (const text of documentsOf(serviceYaml(7))) assert.ok(isPlain(text), text);
  const plain = documents.filter(isPlain).length;
  assert.ok(plain > documents.length * 0.6, `${plain} of ${documents.length}`);
});

test('documents of every form are the same to both', () => {
  for (const [text, plain] of [
    ['a: 1', true],
    ['a: 1\n', true],
    ['---\na: 1\n', true],
    ['--- # first\n\n# comment\na: b # comment\n', true],
    ['--- a: 1', false],
    ['a: 1\n---\nb: 2', false],
    ['a: 1\n...\n', false],
    ['', false],
    ['# nothing', false],
    ['a:\n', true],
    ['a:\nb:\n  - c:\n    d: 1\n  - e\nf: ~', true],
    ['a:\n- 1\n- 2\nb: 3', true],
    ['a:\n  - 1\n - 2', false],
    ['a:\n    - 1\n    - b: 1\n      c:\n      - 2\n    - 3\nd: 4', true],
    ['a: b\n c', false],
    ['a: b\n\n  c', false],
    ['a: b\n  # comment\nc: d', true],
    ['a: b\n  # comment\n  d', false],
    ['a: "b" # c', true],
    ['a: "b"# c', false],
    ['a: "b" c', false],
    ['a: "b\\n"', false],
    ["a: 'it''s'", false],
    ["a: 'it # is: so'", true],
    ['a: "b\n  c"', false],
    ['a: b: c', false],
    ['a: b:', false],
    ['a: b:c', true],
    ['a: b#c', true],
    ['a: #c', true],
    ['a:#c', false],
    ['a:b', false],
    ['a: -1', true],
    ['a: -x', true],
    ['a: - x', false],
    ['a: -', false],
    ['a: --x', false],
    ['a: ?x', false],
    ['a: [b, c]', true],
    ['a: [b, c,]', false],
    ['a: [b: c]', false],
    ['a: [b:c, "d", \'e\', [], {}, { f: g, h: [i] }]  # j', true],
    ['a: {b: c}', true],
    ['a: { b:c }', false],
    ['a: { b: , c: d }', false],
    ['a: { b }', false],
    ['a: { "b": c }', false],
    ['a: {b: c}\n  d: e', false],
    ['a: {b: c} d', false],
    ['a: {b: c', false],
    ['a: [b,\n c]', false],
    ['a: [b c, d  e ]', true],
    ['a: [b#c]', false],
    ['a: [b/:c]', true],
    ['a: [,]', false],
    ['- a', true],
    ['- a\n- b: 1\n  c: 2\n-  d: 1\n   e: 2', true],
    ['- a\nb: c', false],
    ['- - a', false],
    ['-\n  a: b', false],
    ['-a: b', false],
    ['a: 1\na: 2', false],
    ['y: 1', false],
    ['null: 1', false],
    ['on: 1', false],
    ['__proto__: 1', false],
    ['constructor: 1\ntoString: 2', true],
    ['<<: {a: 1}', false],
    ['a: &x b', false],
    ['a: *x', false],
    ['a: !!str 1', false],
    ['a: |\n  b', false],
    ['a: >-\n  b', false],
    ['a:\t1', false],
    ['a: 1\r\nb: 2', false],
    ['a: é', false],
    ['%YAML 1.2\n---\na: 1', false],
    ['a: @b', false],
    ['a: `b`', false],
    ['a: %b', false],
    ['a: *', false],
    [' a: 1\n b: 2\n', true],
    [' a: 1\nb: 2\n', false],
    ['a: 0777\nb: 1_000\nc: .5\nd: yes\ne: 2020-01-01\nf: 1e3\ng: -0\nh: .inf\ni: =', true],
    ['istio.io/rev: a\n_x: b\n/x: c\na-b.c: d', true],
    [`a:${' {a:'.repeat(40)} 1${'}'.repeat(40)}`, true],
    [`a:${' {a:'.repeat(120)} 1${'}'.repeat(120)}`, false],
  ] as const) {
    compare(text);
    assert.is(isPlain(text), plain, text);
  }
});

test('documents that were changed at random are the same to both', () => {
  const r = random(20_261);
  const pieces = [
    ...[
      ' ',
      '  ',
      '\n',
      '\n  ',
      ':',
      ': ',
      '-',
      '- ',
      '#',
      ' #',
      "'",
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ', ',
      '&a ',
      '*a',
      '|',
      '>',
      '!',
      '!!str ',
    ],
    ...[
      '%',
      '@',
      '?',
      '? ',
      '~',
      '\\',
      '\t',
      '\r',
      '<<: ',
      '=',
      '---\n',
      '...\n',
      'null',
      'y',
      '0',
      'a: b',
      '\na: b\n',
      '- a\n',
      '__proto__: ',
      'é',
    ],
  ];
  const sources = [...documents.filter((text) => text.length < 1500), ...documentsOf(serviceYaml(3))];
  let plain = 0;
  for (let i = 0; i < 15_000; i++) {
    let text = r.pick(sources);
    // A few lines are enough, and leave more of what is changed to be read.
    const lines = text.split('\n');
    const from = r.below(lines.length);
    if (r.below(2) === 0) text = lines.slice(from, from + 1 + r.below(12)).join('\n');
    for (let changes = r.below(3); changes >= 0; changes--) {
      const at = r.below(text.length + 1);
      const cut = r.below(3) === 0 ? r.below(8) : 0;
      text = text.slice(0, at) + (r.below(4) === 0 ? '' : r.pick(pieces)) + text.slice(at + cut);
    }
    compare(text);
    if (isPlain(text)) plain++;
  }
  assert.ok(plain > 2000, `only ${plain} of them were plain`);
});

test.run();
