import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatPath } from '../../src/config/resource.ts';

test('paths read as people write them', () => {
  assert.is(formatPath(['spec', 'http', 0, 'route', 1, 'weight']), 'spec.http[0].route[1].weight');
  assert.is(formatPath(['metadata', 'labels', 'app.kubernetes.io/name']), 'metadata.labels["app.kubernetes.io/name"]');
  assert.is(formatPath([]), '');
});

test.run();
