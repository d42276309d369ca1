import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTable } from '../../src/output/table.ts';

test('columns are aligned, five spaces apart, without trailing spaces', () => {
  assert.is(
    formatTable({
      columns: ['A', 'LONG', 'C'],
      rows: [
        ['1', '2', '3'],
        ['wider', '', ''],
      ],
    }),
    'A         LONG     C\n1         2        3\nwider\n',
  );
});

test('the header is there without rows', () => {
  assert.is(formatTable({ columns: ['NAME', 'TYPE'], rows: [] }), 'NAME     TYPE\n');
});

test('nothing is cut, however wide', () => {
  const long = 'x'.repeat(500);
  assert.ok(formatTable({ columns: ['A', 'B'], rows: [[long, 'y']] }).includes(`${long}     y\n`));
});

test('control characters cannot steer the terminal', () => {
  assert.is(formatTable({ columns: ['A'], rows: [['\u001b[31mred\nnext\u0000']] }), 'A\n?[31mred?next?\n');
});

test('characters outside the basic plane are one wide', () => {
  assert.is(formatTable({ columns: ['A', 'B'], rows: [['\u{10348}', 'b']] }), 'A     B\n\u{10348}     b\n');
});

test.run();
