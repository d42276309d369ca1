import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/errors.ts';
import { countProblems, formatProblems, problemsToJson } from '../../src/output/problems.ts';
import { sourceExcerpt } from '../../src/output/source-excerpt.ts';

const problem = (file: string, line: number, column: number, severity: Problem['severity'] = 'error'): Problem => ({
  severity,
  rule: 'test/rule',
  message: `at ${line}:${column}`,
  position: { file, line, column },
});

test('sorted by file and place, with a closing count', async () => {
  const sources = new Map([
    ['a.yaml', 'one\ntwo\n'],
    ['b.yaml', 'x: y\n'],
  ]);
  const text = await formatProblems([problem('b.yaml', 1, 4), problem('a.yaml', 2, 1, 'warning'), problem('a.yaml', 1, 2)], { sources });
  assert.is(
    text,
    `error: at 1:2 [test/rule]
  a.yaml:1:2
  1 | one
    |  ^

warning: at 2:1 [test/rule]
  a.yaml:2:1
  2 | two
    | ^

error: at 1:4 [test/rule]
  b.yaml:1:4
  1 | x: y
    |    ^

2 errors and 1 warning in 2 files`,
  );
});

test('says where and what next', async () => {
  const full: Problem = { ...problem('-', 1, 1), origin: 'VirtualService default/x', path: 'spec.http', hint: 'Do this' };
  assert.is(
    await formatProblems([full]),
    'error: at 1:1 [test/rule]\n  -:1:1  VirtualService default/x  spec.http\n  Do this\n\n1 error in 1 file',
  );
  assert.is(await formatProblems([]), '');
  assert.is(countProblems([{ severity: 'warning', rule: 'r', message: 'm' }]), '1 warning');
});

test('lines come from the file when no source is given', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-problems-'));
  try {
    const file = join(dir, 'x.yaml');
    writeFileSync(file, '\uFEFFabc\r\ndef\r\n');
    assert.ok((await formatProblems([problem(file, 1, 3)])).includes('1 | abc\n    |   ^'));
    assert.ok(!(await formatProblems([problem(join(dir, 'gone'), 1, 3)])).includes('|'));
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the caret stands under its character, with tabs, wide and combining ones', () => {
  const shown = (line: string, at: string): string => {
    const { line: text, caret } = sourceExcerpt(line, line.indexOf(at) + 1, 80);
    return `${text}\n${' '.repeat(caret)}^`;
  };
  assert.is(shown('\ta: b', 'b'), '    a: b\n       ^');
  assert.is(shown('a\tb', 'b'), 'a   b\n    ^');
  assert.is(shown('漢字: x', 'x'), '漢字: x\n      ^');
  assert.is(shown('😀: x', 'x'), '😀: x\n    ^');
  assert.is(shown('e\u0301: x', 'x'), 'e\u0301: x\n   ^');
  assert.equal(sourceExcerpt('abc', 9, 80), { line: 'abc', caret: 3 });
});

test('long lines are cut around the caret', () => {
  const line = `${'a'.repeat(100)}X${'b'.repeat(100)}`;
  for (const width of [10, 20, 40, 79, 150]) {
    const { line: text, caret } = sourceExcerpt(line, 101, width);
    assert.is(text[caret], 'X');
    assert.ok(text.length <= width, `${text.length} columns of ${width}`);
    assert.ok(text.startsWith('…') && text.endsWith('…'));
  }
  assert.is(sourceExcerpt(line, 1, 20).line, `${'a'.repeat(19)}…`);
  const end = sourceExcerpt(line, 201, 20);
  assert.ok(end.line.endsWith('bbb') && end.caret <= 20);
});

test('what could steer the terminal is not printed', async () => {
  const sources = new Map([['a\x1b[2J.yaml', 'x: \x1b]0;title\x07\u202e']]);
  const text = await formatProblems([{ ...problem('a\x1b[2J.yaml', 1, 1), message: 'bad \x1b[31m\u202e', hint: '\x9b' }], { sources });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.not.match(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('colours only when asked for', async () => {
  const sources = new Map([['a', 'x']]);
  const sign = '\u001b';
  assert.not.ok((await formatProblems([problem('a', 1, 1)], { sources })).includes(sign));
  assert.ok((await formatProblems([problem('a', 1, 1)], { sources, color: true })).includes(`${sign}[1;31merror:${sign}[0m`));
});

test('as JSON', () => {
  const list = [problem('b', 1, 1), problem('a', 1, 1, 'warning')];
  assert.equal(problemsToJson(list), { errors: 1, warnings: 1, problems: [list[1], list[0]] });
});

test.run();
