/** Meshes of all shapes in which nothing is wrong: any finding on them is a false one. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyzeText } from './support.ts';

const folder = new URL('healthy/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test('there are thirty of them at least', () => assert.ok(files.length >= 30));

for (const name of files) {
  test(`nothing is found in ${name}`, async () => {
    const { findings, suppressed } = await analyzeText(readFileSync(new URL(name, folder), 'utf8'));
    assert.equal(
      findings.map(({ code, origin, position, path, message }) => `${code} ${origin} ${position?.line} ${path}: ${message}`),
      [],
    );
    assert.is(suppressed, 0);
  });
}

test.run();
