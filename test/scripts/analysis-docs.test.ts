import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('docs/analysis is in step with the catalogue', () => {
  const root = new URL('../../', import.meta.url);
  const { stderr, status } = spawnSync(process.execPath, ['scripts/analysis-docs.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

test.run();
