import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveScalar, STRING } from '../../../src/config/yaml/resolve-scalar.ts';

/** What go-yaml v2 as forked by sigs.k8s.io/yaml makes of plain scalars. */
const cases: [string, null | boolean | number | typeof STRING][] = [
  ...['', '~', 'null', 'Null', 'NULL'].map((s): [string, null] => [s, null]),
  ...['nULL', 'none', '~~', '~x'].map((s): [string, typeof STRING] => [s, STRING]),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((s): [string, boolean] => [s, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((s): [string, boolean] => [s, false]),
  ...['yEs', 'tRUE', 'oFF', 'yess', 'truely', 'o', 'N/A', 'none'].map((s): [string, typeof STRING] => [s, STRING]),
  ['0', 0],
  ['7', 7],
  ['-0', 0],
  ['+12', 12],
  ['-12', -12],
  ['0777', 511],
  ['0o777', 511],
  ['-0777', -511],
  ['0O17', 15],
  ['08', 8],
  ['0x1F', 31],
  ['-0x1F', -31],
  ['0b101', 5],
  ['0b102', STRING],
  ['0o8', STRING],
  ['0x', STRING],
  ['0xZZ', STRING],
  ['1_000', 1000],
  ['1__0_', 10],
  ['_1', STRING],
  ['0_7', 7],
  ['1.5', 1.5],
  ['1.', 1],
  ['.5', 0.5],
  ['-.5', -0.5],
  ['.5_0', 0.5],
  ['.5_', STRING],
  ['1_0.2_5', 10.25],
  ['1e3', 1000],
  ['12e03', 12000],
  ['1e', STRING],
  ['1E-2', 0.01],
  ['.', STRING],
  ['..', STRING],
  ['...', STRING],
  ['-', STRING],
  ['+', STRING],
  ['--1', STRING],
  ['.inf', Infinity],
  ['.Inf', Infinity],
  ['+.INF', Infinity],
  ['-.inf', -Infinity],
  ['.iNF', STRING],
  ['.nan', NaN],
  ['.NaN', NaN],
  ['1:30', STRING],
  ['190:20:30', STRING],
  ['2001-12-14', STRING],
  ['2001-12-14T21:59:43.10-05:00', STRING],
  ['1.2.3', STRING],
  ['10.0.0.1', STRING],
  ['100m', STRING],
  ['5s', STRING],
  ['18446744073709551615', 2 ** 64],
  ['123456789012345678901234567890', Number('123456789012345678901234567890')],
  ['0x1.8p1', STRING],
  ['Infinity', STRING],
  ['NaN', STRING],
  ['<<', STRING],
  ['=', STRING],
];

test('plain scalars read as kubectl reads them', () => {
  for (const [text, expected] of cases) {
    const value = resolveScalar(text);
    assert.ok(Object.is(value, expected), `${JSON.stringify(text)} is ${String(expected)}, not ${String(value)}`);
  }
});

test.run();
