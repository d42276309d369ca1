/** The completion script in a real bash, from the manifest of the build. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bashScript } from '../../src/cli/completion/bash.ts';
import { completions } from '../../src/cli/completion/completions.ts';
import { fishScript } from '../../src/cli/completion/fish.ts';
import { zshScript } from '../../src/cli/completion/zsh.ts';
import { type Manifest, readManifest } from '../../src/cli/manifest.ts';

const manifest = readManifest();
assert.ok(manifest, 'there is no oclif.manifest.json: build first');
const points = completions(manifest as Manifest);
const script = bashScript(points);

/** What bash offers for a command line whose last word is being typed. */
function offered(...words: string[]): string[] {
  const ask = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fairlead; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', ask, 'bash', 'fairlead', ...words], { encoding: 'utf8' });
  assert.is(stderr, '');
  assert.is(status, 0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

test('commands and topics, canonical names only', () => {
  const first = offered('');
  for (const word of ['agent', 'autocomplete', 'demo', 'proxy-config', 'proxy-status', 'schema', 'up', 'validate', 'version'])
    assert.ok(first.includes(word), word);
  assert.not.ok(first.includes('v'), 'one letter is quicker typed than completed');
  assert.equal(offered('pro'), ['proxy-config', 'proxy-status']);
  assert.equal(offered('agent', ''), ['capture', 'drain', 'ready', 'request', 'run', 'status', 'stop']);
  assert.equal(offered('proxy-config', 'r'), ['route']);
  assert.equal(offered('pc', 'r'), ['route']);
});

test('flags of the command, by its alias too', () => {
  assert.equal(offered('proxy-config', 'route', '--na'), ['--name', '--namespace']);
  assert.equal(offered('pc', 'r', '--na'), ['--name', '--namespace']);
  assert.equal(offered('version', '--o'), ['--output']);
  assert.ok(offered('validate', '-').includes('-f'));
  assert.equal(offered('validate', 'some.yaml', '--str'), ['--strict']);
});

test('values of flags; file names where there are none', () => {
  assert.equal(offered('pc', 'route', '-o', ''), ['json', 'short', 'yaml']);
  assert.equal(offered('pc', 'route', '--output', '=', 'j'), ['json']);
  assert.equal(offered('validate', '-f', ''), []);
  assert.equal(offered('validate', ''), []);
  assert.match(script, /complete -o default -F _fairlead fairlead/);
});

test('the scripts parse', () => {
  for (const [shell, text, args] of [
    ['bash', script, ['-n']],
    ['zsh', zshScript(points), ['-n']],
    ['fish', fishScript(points), ['--no-execute']],
  ] as const) {
    const { error, status, stderr } = spawnSync(shell, args, { input: text, encoding: 'utf8' });
    if (error) console.log(`SKIP ${shell}'s own parser: ${shell} is not installed`);
    else assert.is(status, 0, `${shell}: ${stderr}`);
  }
});

test.run();
