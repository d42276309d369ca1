import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDocument } from '../../../src/config/yaml/parse-document.ts';
import { splitDocuments } from '../../../src/config/yaml/split-documents.ts';

const pieces = (text: string): string[] => splitDocuments(text).map(({ start, end }) => text.slice(start, end));
const values = (text: string): unknown[] =>
  pieces(text).map((piece) => {
    const outcome = parseDocument(piece);
    return outcome.ok ? outcome.value : `error: ${outcome.failure.reason}`;
  });

test('splits at markers in the first column only', () => {
  assert.equal(values('a: 1\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  assert.equal(values('---\na: 1\n---\nb: 2'), [{ a: 1 }, { b: 2 }]);
  assert.equal(values('a: x---\nb: "---"\n'), [{ a: 'x---', b: '---' }]);
  assert.equal(values('a: 1\n---b: 2\n').length, 1, 'no space behind the marker: no marker');
  assert.equal(values('--- {a: 1}\n--- # comment\nb: 2\n---\tc\n'), [{ a: 1 }, { b: 2 }, 'c']);
});

test('keeps block scalars whole', () => {
  assert.equal(values('a: |\n  ---\n  x\n   ...\nb: 1\n'), [{ a: '---\nx\n ...\n', b: 1 }]);
  assert.equal(values('--- |\n text\n---\nb: 1\n'), ['text\n', { b: 1 }]);
  assert.equal(values('cert: |\n  -----BEGIN CERTIFICATE-----\n  abc\n'), [{ cert: '-----BEGIN CERTIFICATE-----\nabc\n' }]);
});

test('reads every kind of line break', () => {
  assert.equal(values('a: 1\r\n---\r\nb: 2\r\n'), [{ a: 1 }, { b: 2 }]);
  assert.equal(values('a: 1\r---\rb: 2\r'), [{ a: 1 }, { b: 2 }]);
});

test('leaves out documents without content', () => {
  assert.equal(values(''), []);
  assert.equal(values('---\n---\n# only a comment\n---\n\n'), []);
  assert.equal(values('# --- no\n---\n...\n---\na: 1\n...\n'), [{ a: 1 }]);
});

test('directives belong to the document after them', () => {
  assert.equal(values('%YAML 1.2\n---\na: 1\n'), [{ a: 1 }]);
  assert.equal(values('a: 1\n...\n%YAML 1.1\n# c\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  assert.equal(values('a: 1\n...\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  assert.equal(values('%YAML 1.2\n---\na: 1\n---\nb: 2\n---\nc: 3\n'), [{ a: 1 }, { b: 2 }, { c: 3 }]);
});

test('a marker inside a quoted scalar is an error, as YAML says', () => {
  assert.match(String(values('a: "x\n---\ny"\n')[0]), /^error: /);
});

test('many documents take time in proportion', () => {
  const text = 'a: 1\n---\n'.repeat(200_000);
  assert.is(splitDocuments(text).length, 200_000);
});

test.run();
