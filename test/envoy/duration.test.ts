import { fromJson } from '@bufbuild/protobuf';
import { DurationSchema, durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { envoyDuration } from '../../src/envoy/duration.ts';

test('whole seconds have no fraction', () => {
  assert.is(envoyDuration(0), '0s');
  assert.is(envoyDuration(10_000), '10s');
  assert.is(envoyDuration(3_600_000), '3600s');
});

test('fractions have three, six or nine digits', () => {
  assert.is(envoyDuration(1500), '1.500s');
  assert.is(envoyDuration(25), '0.025s');
  assert.is(envoyDuration(0.25), '0.000250s');
  assert.is(envoyDuration(0.000001), '0.000000001s');
  assert.is(envoyDuration(999.9999999), '1s');
  assert.is(envoyDuration(-1500), '-1.500s');
});

test('protobuf reads back what was written', () => {
  for (const ms of [0, 1, 7, 999, 1000, 1001, 61_007, 86_400_000, 9_223_372_035_000]) {
    const read = fromJson(DurationSchema, envoyDuration(ms));
    assert.is(durationMs(read), ms);
    assert.equal(read, durationFromMs(ms));
  }
});

test('what is no duration is refused', () => {
  assert.throws(() => envoyDuration(Number.NaN), RangeError);
  assert.throws(() => envoyDuration(Number.POSITIVE_INFINITY), RangeError);
  assert.throws(() => envoyDuration(1e15 * 1000), RangeError);
});

test.run();
