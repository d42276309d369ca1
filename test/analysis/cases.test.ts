/**
 * One file is one case: configuration, and above it, as comments, every finding on it: code, object, field. `UPDATE_GOLDENS=1` writes them
 * anew; read the diff.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findingsOf } from './support.ts';

const folder = dirname(fileURLToPath(import.meta.url));

for (const name of globSync('cases/*/*.yaml', { cwd: folder }).sort()) {
  test(name, async () => {
    const file = `${folder}/${name}`;
    const [, head = '', body = ''] = /^((?:#>.*\n)*)([\s\S]*)$/.exec(readFileSync(file, 'utf8'))!;
    const found = await findingsOf(body, { now: Date.UTC(2027, 0) });
    const text = (found.length === 0 ? ['nothing'] : found).map((finding) => `#> ${finding}\n`).join('');
    if (process.env['UPDATE_GOLDENS']) writeFileSync(file, text + body);
    else assert.fixture(text, head);
  });
}

test.run();
