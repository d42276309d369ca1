import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UNSUPPORTED } from '../../src/envoy/unsupported.ts';

const root = new URL('../../', import.meta.url);

test('docs/fidelity.md is in step with the lists in the code', () => {
  const { stderr, status } = spawnSync(process.execPath, ['scripts/fidelity-docs.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

test('everything that is not acted on has its reason there', () => {
  const text = readFileSync(new URL('docs/fidelity.md', root), 'utf8');
  for (const { kind, reason } of UNSUPPORTED) assert.ok(text.includes(reason), `${kind}: ${reason}`);
});

test.run();
