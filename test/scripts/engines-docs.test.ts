import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UNSUPPORTED } from '../../agent/proxy/listener/unsupported.ts';

const root = new URL('../../', import.meta.url);

test('docs/engines.md is in step with the lists in the code and the contract', () => {
  const { stderr, status } = spawnSync(process.execPath, ['scripts/engines-docs.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

test('every field that is refused has its reason there', () => {
  const text = readFileSync(new URL('docs/engines.md', root), 'utf8');
  for (const fields of Object.values(UNSUPPORTED))
    for (const [field, reason] of Object.entries(fields)) assert.ok(text.includes(`\`${field}\` | ${reason}`), `${field}: ${reason}`);
});

test.run();
