/** The built command line, as people use and misuse it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Ran } from '../support/cli.ts';

const shop = fileURLToPath(new URL('../../examples/shop/mesh', import.meta.url));
const noTrace = ({ out, err }: Ran): void => assert.not.match(out + err, /^\s+at .*[.](js|ts):\d+/m);

test('help names every command, grouped, and fits 100 columns', async () => {
  const ran = await fairlead(['--help']);
  assert.is(ran.code, 0);
  for (const name of [
    'demo',
    'up [DIR]',
    'validate',
    'schema',
    'agent run',
    'proxy-status',
    'proxy-config route',
    'version',
    'autocomplete',
  ])
    assert.ok(ran.out.includes(name), name);
  for (const line of ran.out.split('\n')) assert.ok(line.length <= 100, line);
});

test('no arguments shows the help', async () => {
  assert.match((await fairlead([])).out, /Start here/);
});

test('a wrong command gets the nearest one, exit 2', async () => {
  const ran = await fairlead(['proxy-statu']);
  assert.is(ran.code, 2);
  assert.match(ran.err, /Did you mean `fairlead proxy-status`/);
  noTrace(ran);
});

test('a word after a command that takes none is no unknown command', async () => {
  const ran = await fairlead(['agent', 'run', 'mesh']);
  assert.is(ran.code, 2);
  assert.match(ran.err, /`fairlead agent run` takes no argument "mesh"/);
  assert.match(ran.err, /`fairlead agent run -f mesh`/);
});

test('topics are near too, and what is far from everything gets no guess', async () => {
  assert.match((await fairlead(['agen'])).err, /^fairlead: there is no command `agen`\nDid you mean `fairlead agent`\?/);
  assert.match((await fairlead(['agent', 'statsu'])).err, /there is no command `agent statsu`\nDid you mean `fairlead agent status`/);
  for (const argv of [['frobnicate'], ['help', 'frobnicate'], ['frobnicate', '--help']])
    assert.is((await fairlead(argv)).err, 'fairlead: there is no command `frobnicate`\nSee `fairlead --help` for all commands.\n');
  assert.match((await fairlead(['--colour'])).err, /--colour is no flag of fairlead itself/);
  assert.match((await fairlead([''])).err, /the command is an empty word/);
});

test('`help`, `help COMMAND` and -h are --help', async () => {
  for (const [words, flag] of [
    [['help'], ['--help']],
    [['-h'], ['--help']],
    [
      ['help', 'agent', 'run'],
      ['agent', 'run', '--help'],
    ],
    [
      ['up', '-h'],
      ['up', '--help'],
    ],
  ] as const)
    assert.equal(await fairlead(words), await fairlead(flag), words.join(' '));
});

test('the help of a topic names each command once, and `pc` is proxy-config', async () => {
  const { out } = await fairlead(['proxy-config', '--help']);
  const listed = [...out.matchAll(/^ {2}proxy-config (\S+)/gm)].map((m) => m[1]);
  assert.equal(listed, ['all', 'bootstrap', 'cluster', 'ecds', 'eds', 'endpoint', 'listener', 'log', 'route', 'secret', 'stats']);
  assert.is((await fairlead(['pc'])).out, out);
});

test('a wrong value: one sentence, and the help of that command alone', async () => {
  const ran = await fairlead(['up', 'mesh', '--api-port', 'x']);
  assert.is(ran.code, 2);
  assert.is(ran.err, 'fairlead: --api-port must be an integer, not "x"\nSee `fairlead up --help`.\n');
});

test('a namespace that cannot be one is refused', async () => {
  for (const name of ['A B', '', 'a'.repeat(64), '-a']) {
    const ran = await fairlead(['validate', shop, `--namespace=${name}`]);
    assert.is(ran.code, 2, name);
    assert.match(ran.err, /--namespace must be a namespace's name/);
  }
  assert.is((await fairlead(['validate', shop, '-n', 'team-1'])).code, 0);
});

test('a wrong flag names its command’s help, exit 2', async () => {
  const ran = await fairlead(['validate', '--colour']);
  assert.is(ran.code, 2);
  assert.match(ran.err, /--colour/);
  assert.match(ran.err, /fairlead validate --help/);
  noTrace(ran);
});

test('errors are JSON with --json', async () => {
  const ran = await fairlead(['proxy-status', '--json', '--agent', 'http://127.0.0.1:1']);
  assert.is(ran.code, 3);
  assert.is(JSON.parse(ran.out).error.code, 'E_AGENT_UNREACHABLE');
});

test('an agent that is not there: what, where, what next, exit 3', async () => {
  const ran = await fairlead(['proxy-status', '--agent', 'http://127.0.0.1:1']);
  assert.is(ran.code, 3);
  assert.match(ran.err, /no agent answers at http:\/\/127\.0\.0\.1:1/);
  assert.match(ran.err, /fairlead up/);
  noTrace(ran);
});

test('the shop’s mesh is valid', async () => {
  const ran = await fairlead(['validate', shop]);
  assert.is(ran.err + ran.out.replace(/^\d+ resources in \d+ files are valid\n$/, ''), '');
  assert.is(ran.code, 0);
});

test('nothing to check is said, and -q says nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  try {
    const empty = await fairlead(['validate', folder]);
    assert.is(empty.code, 0);
    assert.is(empty.out, `there is nothing to check: no .yaml, .yml or .json file in ${folder}\n`);
    writeFileSync(join(folder, 'empty.yaml'), '');
    assert.is((await fairlead(['validate', folder])).out, 'there is nothing to check: no resource of a mesh in 1 file\n');
    assert.equal(await fairlead(['validate', '-q', shop]), { code: 0, out: '', err: '' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a device without end is refused, and not read again to show its line', async () => {
  const ran = await fairlead(['validate', '/dev/zero']);
  assert.is(ran.code, 1);
  assert.match(ran.out, /the limit is 64\.0 MiB \[file\/too-large\]/);
});

test('a broken file: every error with its line, exit 1; a missing one: exit 3', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  try {
    writeFileSync(
      join(folder, 'reviews.yaml'),
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: reviews\nspec:\n  hosts: [reviews]\n  htpp:\n  - route:\n    - destination: { host: reviews }\n      wieght: 5\n',
    );
    const ran = await fairlead(['validate', folder]);
    assert.is(ran.code, 1);
    assert.match(ran.out, /reviews\.yaml:7:3/);
    assert.match(ran.out, /did you mean.*http/i);
    noTrace(ran);
    const json = JSON.parse((await fairlead(['validate', folder, '--json'])).out);
    assert.is(json.errors, json.problems.length);
    assert.is(json.problems[0].position.line, 7);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const missing = await fairlead(['validate', join(folder, 'nothing')]);
  assert.is(missing.code, 3);
  noTrace(missing);
});

test('configuration comes from standard input too', async () => {
  const ran = await fairlead(['validate', '-'], {
    input: 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [{ port: 80 }] }\n',
  });
  assert.is(ran.code, 0, ran.out + ran.err);
  assert.is(ran.out, '1 resource in 1 file is valid\n');
});

test('schema prints a JSON Schema, and names the nearest kind', async () => {
  const schema = JSON.parse((await fairlead(['schema', 'vs'])).out);
  assert.is(schema.properties.kind.const, 'VirtualService');
  const wrong = await fairlead(['schema', 'VirtualServic']);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /Did you mean VirtualService\?/);
  assert.not.match((await fairlead(['schema', '__proto__'])).err, /Did you mean/);
});

test('an offline proxy-config shows the shop’s routes; an unknown proxy names those there are', async () => {
  const ran = await fairlead(['proxy-config', 'route', '-f', shop, '--proxy', 'web']);
  assert.is(ran.code, 0, ran.err);
  assert.match(ran.out, /^NAME\s+VHOST NAME\s+DOMAINS\s+MATCH\s+VIRTUAL SERVICE/);
  assert.match(ran.out, /catalog\.default/);
  const wrong = await fairlead(['pc', 'route', '-f', shop, '--proxy', 'wbe']);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /web/);
  noTrace(wrong);
});

test('a dump is read from standard input; what is piped in is never an argument', async () => {
  const dump = await fairlead(['pc', 'all', '-f', shop, '--proxy', 'web', '-o', 'json']);
  const listeners = await fairlead(['pc', 'listener', '--file', '-'], { input: dump.out });
  assert.is(listeners.err, '');
  assert.is(listeners.out, (await fairlead(['pc', 'listener', '-f', shop, '--proxy', 'web'])).out);
  assert.equal(await fairlead(['schema'], { input: 'vs\n' }), await fairlead(['schema']));
});

test('a dump with other things in its sections is a wrong dump, not a bug', async () => {
  const input = '{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","staticListeners":7}]}';
  const ran = await fairlead(['pc', 'listener', '--file', '-', '--json'], { input });
  assert.is(ran.code, 3);
  assert.is(JSON.parse(ran.out).error.code, 'E_DUMP_INVALID');
});

test('a proxy without ECDS has none; a filter that nothing can pass is wrong', async () => {
  const none = await fairlead(['pc', 'ecds', '-f', shop, '--proxy', 'web', '-o', 'json']);
  assert.is(none.code, 0, none.err);
  assert.equal(JSON.parse(none.out), []);
  const wrong = await fairlead(['pc', 'cluster', '-f', shop, '--proxy', 'web', '--direction', 'sideways']);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /--direction must be inbound or outbound, not "sideways"/);
  assert.match((await fairlead(['pc', 'listener', '-f', shop, '--proxy', 'web', '--type', 'http'])).out, /http_proxy/);
});

test('`up` with a folder that does not exist, and with nothing: said in a sentence', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  try {
    const missing = await fairlead(['up', join(folder, 'nothing')]);
    assert.is(missing.code, 3);
    assert.match(missing.err, /does not exist/);
    const nothing = await fairlead(['up'], { cwd: folder });
    assert.is(nothing.code, 2);
    assert.match(nothing.err, /-f PATH/);
    noTrace(nothing);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
