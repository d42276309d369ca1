/**
 * What people see for wrong configuration. Each goldens/*.yaml is a configuration, a line of `=====`, and the text that is printed for it.
 * UPDATE_GOLDENS=1 writes the texts anew; read the difference before committing it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/config/parse-config.ts';
import { formatProblems } from '../../src/output/problems.ts';

const folder = fileURLToPath(new URL('goldens', import.meta.url));
const separator = '\n=====\n';
const update = Boolean(process.env['UPDATE_GOLDENS']);

for (const name of readdirSync(folder).sort()) {
  test(name, async () => {
    const path = `${folder}/${name}`;
    const golden = readFileSync(path, 'utf8');
    const cut = golden.indexOf(separator);
    const input = cut === -1 ? golden.trimEnd() : golden.slice(0, cut);
    const { problems } = await parseConfig(`${input}\n`, name);
    const output = await formatProblems(problems, { sources: new Map([[name, `${input}\n`]]), width: 120 });
    const actual = `${input}${separator}${output}\n`;
    if (update) writeFileSync(path, actual);
    else assert.fixture(actual, golden);
  });
}

test.run();
