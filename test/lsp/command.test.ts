import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bin, fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';
import { startEditor } from './editor.ts';

const docs = readFileSync(new URL('../../docs/editors.md', import.meta.url), 'utf8');

test(
  'the built command, as editors start it: flags are defaults, settings go before them, codes lead to pages that are there',
  withScratch(async (folder, write) => {
    const route = (host: string): string =>
      `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: a }\nspec:\n  hosts: [a]\n  htpp: []\n  http: [{ route: [{ destination: { host: ${host} } }] }]\n`;
    const uri = pathToFileURL(write('route.yaml', route('gone'))).href;
    const complete = await startEditor([folder], { command: [bin, 'lsp', '--stdio', `--clientProcessId=${process.pid}`, '--complete'] });
    try {
      const found = await complete.diagnostics(uri, (list) => list.length > 0);
      assert.ok(found.some(({ code }) => code === 'IST0101'));
      const href = found.find(({ code }) => code === 'FL0002')!.codeDescription!.href;
      assert.ok(existsSync(fileURLToPath(href)), href);
      assert.is(complete.initialized.serverInfo?.name, 'fairlead');
      assert.is(await complete.quit(), 0);
      assert.is(complete.stderr(), '');
    } finally {
      complete.child.kill();
    }
    const settings = { complete: false, meshes: ['.'] };
    const partial = await startEditor([folder], { command: [bin, 'lsp', '--complete'], settings });
    try {
      const found = await partial.diagnostics(uri, (list) => list.length > 0);
      assert.equal(
        found.map(({ code }) => code),
        ['FL0002'],
      );
      assert.is(await partial.quit(), 0);
    } finally {
      partial.child.kill();
    }
  }),
);

test(
  'what docs/editors.md has people run does what it says',
  withScratch(async (folder) => {
    const lines = [...docs.matchAll(/^fairlead (.+)$/gm)].map(([, line]) => line!);
    assert.ok(lines.length > 1);
    for (const line of lines) {
      const { code, out } = await fairlead(line.replace(/ >.*/, '').split(' '), { cwd: folder });
      assert.is(code, 0, line);
      assert.ok(JSON.parse(out));
    }
    for (const [, json] of docs.matchAll(/```json\n([^`]+)```/g)) assert.ok(JSON.parse(json!));
  }),
);

test.run();
