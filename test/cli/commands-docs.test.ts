/** docs/commands.md is in step with the commands. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { commandsDocument } from '../../scripts/commands-docs.ts';
import { commandIds } from '../../src/cli/command-ids.ts';
import { type Manifest, readManifest } from '../../src/cli/manifest.ts';
import { packageRoot } from '../../src/cli/package-root.ts';

const root = packageRoot();

test('the reference of commands is what the manifest says', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/commands-docs.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

test('the order in which the build found the commands does not matter', () => {
  const manifest = readManifest() as Manifest;
  const backwards = { ...manifest, commands: Object.fromEntries(Object.entries(manifest.commands).reverse()) };
  assert.is(commandsDocument(backwards, {}), commandsDocument(manifest, {}));
  const headings = commandsDocument(manifest, {}).match(/^##.*$/gm) ?? [];
  assert.equal(headings, [...new Set(headings)]);
});

test('every command has a section, a summary and, where it can be needed, an example', () => {
  const text = readFileSync(join(root, 'docs/commands.md'), 'utf8');
  const sections = text.split(/^(?=###? fairlead )/m).slice(1);
  assert.ok(sections.length > 20, `${sections.length} sections`);
  for (const section of sections) {
    const lines = section.split('\n');
    assert.match(lines[2] ?? '', /^[A-Z].*\.$/, lines[0]);
    assert.not.match(section, /undefined|<%=/, lines[0]);
  }
  for (const id of commandIds()) assert.ok(text.includes(`\`${id}\``), id);
});

test.run();
