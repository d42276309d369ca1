/**
 * What injection makes of files. Each goldens/*.yaml is a file, a line of `=====`, and what comes out: the file again, then what people are told.
 * UPDATE_GOLDENS=1 writes the outputs anew; read the difference before committing it. test/cluster/inject.test.ts sends each of them to an API server.
 */
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textFile } from '../../../src/config/text-file.ts';
import { injectText } from '../../../src/install/inject/inject-text.ts';
import { formatProblems } from '../../../src/output/problems.ts';
import { injectSettings, readGoldens, SEPARATOR } from '../../support/inject.ts';

const update = Boolean(process.env['UPDATE_GOLDENS']);

for (const { name, path, input, whole } of readGoldens()) {
  test(name, async () => {
    const { text, objects, problems } = await injectText(textFile(name, input), 'shop', injectSettings);
    const left = objects
      .filter(({ injected }) => !injected)
      .map(({ kind, namespace, name, why }) => `# ${kind} ${namespace}/${name}: ${why}\n`);
    const told = await formatProblems(problems, { sources: new Map([[name, input]]), width: 120 });
    const notes = told === '' ? '' : `${told.replaceAll(/^/gm, '# ').replaceAll(/ +$/gm, '')}\n`;
    const actual = `${input}${SEPARATOR}${text}${left.join('')}${notes}`;
    if (update) writeFileSync(path, actual);
    else assert.fixture(actual, whole);
    const again = await injectText(textFile(name, text), 'shop', injectSettings);
    assert.is(again.text, text, 'injecting again changes nothing');
    assert.not(again.objects.some(({ injected }) => injected));
  });
}

test.run();
