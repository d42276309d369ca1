import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDuration } from '../../src/config/duration.ts';

const good: [text: string, milliseconds: number][] = [
  ['0', 0],
  ['+0', 0],
  ['-0', 0],
  ['0s', 0],
  ['5s', 5000],
  ['30s', 30_000],
  ['1478s', 1_478_000],
  ['-5s', -5000],
  ['+5s', 5000],
  ['5.0s', 5000],
  ['5.6s', 5600],
  ['5.s', 5000],
  ['.5s', 500],
  ['1.0s', 1000],
  ['1.00s', 1000],
  ['1.004s', 1004],
  ['1.0040s', 1004],
  ['100.00100s', 100_001],
  ['-.5s', -500],
  ['10ns', 0.00001],
  ['11us', 0.011],
  ['12µs', 0.012],
  ['12μs', 0.012],
  ['13ms', 13],
  ['14s', 14_000],
  ['15m', 900_000],
  ['16h', 57_600_000],
  ['3h30m', 12_600_000],
  ['1h30m', 5_400_000],
  ['10.5s4m', 250_500],
  ['-2m3.4s', -123_400],
  ['1h2m3s4ms5us6ns', 3_723_004.005006],
  ['39h9m14.425s', 140_954_425],
  ['0.3333333333333333333h', 1_200_000],
  ['1.1s', 1100],
  ['4.35s', 4350],
  ['0.100000000000000000000h', 360_000],
  ['9007199254.5ms', 9007199254.5],
  ['2562047h47m16s', 9_223_372_036_000],
  ['1m1m', 120_000],
];
const bad = [
  '',
  '+',
  '-',
  's',
  '.',
  '-.',
  '.s',
  '+.s',
  '1',
  '3',
  '-5',
  '1d',
  '1w',
  '1y',
  '1S',
  '1H',
  '1 s',
  ' 1s',
  '1s ',
  '1.2.3s',
  '1..5s',
  '--1s',
  '+-1s',
  '1s-1s',
  '1e3s',
  '0x1s',
  '1,5s',
  '1h30',
  '1_000s',
  '\x85\x85',
  'P1D',
  'PT5S',
  'constructor',
  '1constructor',
  '1__proto__',
  '١s',
  'NaN',
  'Infinitys',
  '00',
  '0.0',
  '1ss',
  '1mss',
];
const tooLong = [
  '9223372036854775.9s',
  '2562047h47m17s',
  '99999999999h',
  '3000000h',
  '-3000000h',
  `${'9'.repeat(400)}s`,
  '2562047h1000000h',
];

test('Go durations are read in milliseconds', () => {
  for (const [text, milliseconds] of good) assert.is(parseDuration(text), milliseconds, text);
});

test('zero is never negative', () => assert.ok(Object.is(parseDuration('-0s'), 0)));

test('other texts are no durations', () => {
  for (const text of bad) assert.is(parseDuration(text), undefined, JSON.stringify(text));
});

test('durations that Go cannot hold are none', () => {
  for (const text of tooLong) assert.is(parseDuration(text), undefined, text);
});

test('every whole number of milliseconds survives printing as seconds', () => {
  for (let n = 0; n < 20_000; n++) {
    const milliseconds = (n * 2_654_435_761) % 1e9;
    assert.is(parseDuration(`${(milliseconds / 1000).toFixed(3)}s`), milliseconds);
  }
});

test.run();
