import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kinds } from '../../../src/config/kinds/registry.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { formatPosition } from '../../../src/config/resource.ts';

test('the examples that the documentation shows load without a problem', async () => {
  const examples = new URL('./examples/', import.meta.url);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-examples-'));
  try {
    for (const file of readdirSync(examples)) {
      // Those are no kinds; and the List holds the Namespace once more.
      if (file.startsWith('mesh-') || file === 'list.yaml') continue;
      const [first = ''] = readFileSync(new URL(file, examples), 'utf8').split('\n---\n');
      writeFileSync(join(folder, file), `${first}\n`);
    }
    const { resources, problems } = await loadConfig([folder]);
    assert.equal(
      problems.map((p) => `${p.position ? formatPosition(p.position) : ''} ${p.message}`),
      [],
    );
    const found = new Set(resources.map((r) => `${r.group}/${r.kind}`));
    assert.equal(
      kinds.map((k) => `${k.group}/${k.kind}`).filter((name) => !found.has(name)),
      ['/List'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
