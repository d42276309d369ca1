/** The built command `analyze`, as people, scripts and CI use it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, startFairlead } from '../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const service = (name: string, port = 'web'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{name: ${port}, port: 8080}]}\n`;
const broken =
  'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a]\n  http:\n    - route:\n        - destination:\n            host: revews\n';

const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

interface Found {
  code: string;
  origin: string;
  reference: string;
  fingerprint: string;
}

const parsed = (out: string): Found[] => JSON.parse(out) as Found[];

test('exit codes: 0 without an error, 1 with one or at the level asked for, 2 for wrong usage, 3 for what cannot be read', async () => {
  const fine = put('fine.yaml', service('a'));
  const wrong = put('wrong.yaml', `${service('a')}---\n${broken}`);
  assert.is((await fairlead(['analyze', fine])).code, 0);
  assert.is((await fairlead(['analyze', fine, '--fail-on', 'info'])).code, 1);
  assert.is((await fairlead(['analyze', fine, '--failure-threshold', 'Warning'])).code, 0);
  const ran = await fairlead(['analyze', wrong]);
  assert.is(ran.code, 1);
  assert.match(ran.out, /Error: the host "revews" is not found \[IST0101\]\n.*wrong\.yaml:14:19.*\n {2}14 \| .*host: revews\n/);
  for (const args of [['--fail-on', 'always'], ['--suppress', 'IST0101'], ['--code', 'IST9999'], ['--nonsense'], ['-n', 'No Namespace']]) {
    const used = await fairlead(['analyze', fine, ...args]);
    assert.is(used.code, 2, args.join(' '));
    assert.not.match(used.err, /^\s+at /m);
  }
  const missing = await fairlead(['analyze', fine, join(folder, 'nothing.yaml'), '-o', 'json']);
  assert.is(missing.code, 3);
  assert.equal(
    parsed(missing.out).map((finding) => finding.code),
    ['FL0001', 'IST0118'],
  );
});

test('every format on standard output, for standard input too', async () => {
  const input = `${service('a')}---\n${broken}`;
  const json = await fairlead(['analyze', '-', '-o', 'json'], { input });
  assert.equal(
    parsed(json.out).map(({ code, origin, reference }) => `${code} ${origin} ${reference}`),
    ['IST0101 VirtualService default/a -:14', 'IST0118 Service default/a -:4'],
  );
  assert.equal(parsed((await fairlead(['analyze', '-', '--json'], { input })).out), parsed(json.out));
  assert.match((await fairlead(['analyze', '-', '-o', 'sarif'], { input })).out, /"version": "2\.1\.0"/);
  assert.match((await fairlead(['analyze', '-', '-o', 'junit'], { input })).out, /^<\?xml/);
  assert.match((await fairlead(['analyze', '-', '-o', 'github'], { input })).out, /^::error file=-,line=14/);
  assert.match((await fairlead(['analyze', '-', '-o', 'yaml'], { input })).out, /^- code: IST0101/);
});

test('a baseline hides what is known, shows what is new, and is written whole', async () => {
  const file = put('baseline-input.yaml', `${service('a')}---\n${broken}`);
  const baseline = join(folder, 'known.json');
  const written = await fairlead(['analyze', file, '--write-baseline', baseline]);
  assert.equal([written.code, written.out], [0, `2 findings written to ${baseline}\n`]);
  assert.is((JSON.parse(readFileSync(baseline, 'utf8')) as { version: number }).version, 1);
  const same = await fairlead(['analyze', file, '--baseline', baseline]);
  assert.is(same.code, 0);
  assert.match(same.out, /2 findings of the baseline not shown/);
  writeFileSync(file, `# moved\n${service('a')}---\n${broken}---\n${service('b')}`);
  const more = await fairlead(['analyze', file, '--baseline', baseline, '-o', 'json']);
  assert.equal(
    parsed(more.out).map((finding) => finding.origin),
    ['Service default/b'],
  );
  assert.is((await fairlead(['analyze', file, '--baseline', join(folder, 'no.json')])).code, 3);
  assert.is((await fairlead(['analyze', file, '--baseline', file])).code, 3);
});

test('folders with all below them; with --no-recursive their own files; other kinds are counted and named', async () => {
  mkdirSync(join(folder, 'tree/inner'), { recursive: true });
  put('tree/a.yaml', service('a'));
  put('tree/inner/b.yaml', service('b'));
  put('tree/c.yaml', 'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: c}\n');
  const names = async (...args: string[]): Promise<string[]> =>
    parsed((await fairlead(['analyze', join(folder, 'tree'), '-o', 'json', ...args])).out).map((finding) => finding.origin);
  assert.equal(await names(), ['Service default/a', 'Service default/b']);
  assert.equal(await names('--no-recursive'), ['Service default/a']);
  assert.match((await fairlead(['analyze', join(folder, 'tree')])).out, /autoscaling\/v2\/HorizontalPodAutoscaler \(1\)/);
});

test('what no file shows is not guessed, unless the input is the whole mesh', async () => {
  const file = put('alone.yaml', broken);
  assert.equal(parsed((await fairlead(['analyze', file, '-o', 'json'])).out), []);
  assert.equal(
    parsed((await fairlead(['analyze', file, '--complete', '-o', 'json'])).out).map((finding) => finding.code),
    ['IST0101'],
  );
});

test('the mesh’s settings come from a file', async () => {
  const telemetry = 'apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: a}\nspec: {accessLogging: [{}]}\n';
  const file = put('telemetry.yaml', telemetry);
  const settings = put('mesh.settings', 'defaultProviders: {accessLogging: [envoy]}\n');
  assert.equal(
    parsed((await fairlead(['analyze', file, '-o', 'json'])).out).map((finding) => finding.code),
    ['IST0157'],
  );
  for (const flag of ['--mesh-config', '--meshConfigFile']) {
    assert.equal(parsed((await fairlead(['analyze', file, flag, settings, '-o', 'json'])).out), [], flag);
  }
});

test('codes are listed and explained', async () => {
  const list = (await fairlead(['analyze', '--list'])).out;
  for (const code of ['IST0101', 'IST0177', 'FL0001']) assert.match(list, new RegExp(`^${code} `, 'm'));
  const one = await fairlead(['analyze', '--code', 'ist0130']);
  assert.is(one.code, 0);
  assert.match(one.out, /^IST0130 VirtualServiceUnreachableRule \(Warning\)\n[\s\S]*Wrong:[\s\S]*Right:[\s\S]*--suppress/);
});

test('--watch analyzes again after a change, and a signal ends it with the last result', async () => {
  const file = put('watched.yaml', service('a', 'http'));
  const running = startFairlead(['analyze', file, '--watch']);
  const until = async (text: RegExp): Promise<void> => {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await new Promise((r) => setTimeout(r, 20))) {
      if (text.test(running.out())) return;
    }
    throw new Error(`${text} is not in ${running.out()} ${running.err()}`);
  };
  try {
    await until(/nothing found in 1 resource/);
    writeFileSync(file, `${service('a', 'http')}---\n${broken}`);
    await until(/revews[\s\S]*1 error/);
    running.child.kill('SIGTERM');
    assert.is(await running.ended, 1);
  } finally {
    running.child.kill('SIGKILL');
  }
});

test('validate gives the same findings to code hosts', async () => {
  const file = put(
    'invalid.yaml',
    'apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a, trafficPolicy: {}}\n',
  );
  const ran = await fairlead(['validate', file, '-o', 'github']);
  assert.is(ran.code, 1);
  assert.match(ran.out, /^::error file=.*invalid\.yaml,line=4,col=\d+,title=IST0106 DestinationRule default\/a::/);
});

test.run();
