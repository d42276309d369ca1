import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/load.ts';
import type { Problem } from '../../src/errors.ts';

const test = suite<{ dir: string }>('load');
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'fairlead-load-'));
});
test.after.each((context) => {
  rmSync(context.dir, { recursive: true, force: true });
});

const rule = (name: string, extra = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}${extra}}\nspec: {host: ${name}}\n`;

function write(dir: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
}

const brief = (problems: readonly Problem[]): string[] =>
  problems.map((p) => `${p.rule} ${p.position?.file.split('/').at(-1)}:${p.position?.line}:${p.position?.column}`);

test('folders are read whole, in the order of names, without hidden files and route tests', async ({ dir }) => {
  write(dir, {
    'b.yaml': rule('b'),
    'a.yml': rule('a'),
    'c/z.json': JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'z' },
      spec: { host: 'z' },
    }),
    'c/a.YAML': rule('ca'),
    '.hidden.yaml': 'not: [yaml',
    '.git/x.yaml': 'not: [yaml',
    'notes.txt': 'not: [yaml',
    'b.mesh-test.yaml': 'tests: []',
    'empty.yaml': '',
  });
  const { resources, problems, files } = await loadConfig([dir]);
  assert.equal(problems, []);
  assert.equal(
    resources.map((r) => r.metadata.name),
    ['a', 'b', 'ca', 'z'],
  );
  assert.equal(
    files,
    ['a.yml', 'b.yaml', 'c/a.YAML', 'c/z.json', 'empty.yaml'].map((f) => join(dir, f)),
  );
  assert.is(resources[0]!.metadata.namespace, 'default');
});

test('a file that is named is read whatever it is called, and only once', async ({ dir }) => {
  write(dir, { 'mesh.txt': rule('a'), 'd/b.yaml': rule('b') });
  const { resources, problems } = await loadConfig([join(dir, 'mesh.txt'), join(dir, 'd'), join(dir, 'd/b.yaml')], { namespace: 'shop' });
  assert.equal(problems, []);
  assert.equal(
    resources.map((r) => `${r.metadata.namespace}/${r.metadata.name}`),
    ['shop/a', 'shop/b'],
  );
});

test('circular and dangling links do no harm', async ({ dir }) => {
  write(dir, { 'a/x.yaml': rule('x') });
  symlinkSync(dir, join(dir, 'a/up'));
  symlinkSync(join(dir, 'a'), join(dir, 'again'));
  symlinkSync(join(dir, 'self'), join(dir, 'self'));
  symlinkSync(join(dir, 'nowhere'), join(dir, 'dangling.txt'));
  const { resources, problems } = await loadConfig([dir]);
  assert.equal(
    resources.map((r) => r.metadata.name),
    ['x'],
  );
  assert.equal(brief(problems), ['file/unreadable self:1:1']);
  assert.match(problems[0]!.message, /circle/);
});

test('a dangling link with the name of a config file is an error', async ({ dir }) => {
  symlinkSync(join(dir, 'nowhere'), join(dir, 'x.yaml'));
  assert.equal(brief((await loadConfig([dir])).problems), ['file/unreadable x.yaml:1:1']);
});

test('all errors of all files come at once', async ({ dir }) => {
  write(dir, {
    'a.yaml': `a: [\n---\n${rule('a').replace('host', 'hosst')}---\nb: : c\n`,
    'b.yaml': `${rule('B')}---\n${rule('b', ', namespace: x/y')}`,
  });
  const { problems } = await loadConfig([dir, join(dir, 'missing.yaml')]);
  assert.equal(brief(problems), [
    'file/unreadable missing.yaml:1:1',
    'yaml/syntax a.yaml:1:5',
    'schema/unknown-field a.yaml:6:8',
    'schema/required a.yaml:6:1',
    'yaml/syntax a.yaml:8:4',
    'metadata/name b.yaml:3:18',
    'metadata/namespace b.yaml:8:32',
  ]);
});

test('standard input', async () => {
  const { resources, files, sources } = await loadConfig(['-'], { standardInput: Readable.from([Buffer.from(rule('a'))]) });
  assert.equal(
    resources.map((r) => r.source.file),
    ['-'],
  );
  assert.equal(files, ['-']);
  assert.is(sources.get('-'), rule('a'));
});

test('standard input of a real process', () => {
  const code = `import { loadConfig } from './src/config/load.ts';
    const { resources, problems } = await loadConfig(['-']);
    console.log(resources.map((r) => r.metadata.name).join(), problems.map((p) => p.rule).join());`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    input: `${rule('a')}---\nkind: x\n`,
    encoding: 'utf8',
  });
  assert.is(stdout, 'a kind/missing\n');
});

test('a pipe that the shell makes', () => {
  const code = `import { loadConfig } from './src/config/load.ts';
    const { resources, problems } = await loadConfig(process.argv.slice(1));
    console.log(resources.map((r) => r.metadata.name).join(), problems.length);`;
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', '"$0" --input-type=module -e "$1" <(printf "%s" "$2")', process.execPath, code, rule('piped')],
    {
      encoding: 'utf8',
    },
  );
  assert.is(stdout, 'piped 0\n', stderr);
});

test('what is no text is refused, with the place', async ({ dir }) => {
  write(dir, {
    'a-latin1.yaml': Buffer.concat([Buffer.from('a: 1\nb: "漢é'), Buffer.from([0xe9, 0x22, 0x0a])]),
    'b-binary.yaml': Buffer.from([0x61, 0x0a, 0x00, 0x01]),
    'c-utf16.yaml': Buffer.from('\uFEFFa: 1', 'utf16le'),
    'd-cut.yaml': Buffer.concat([Buffer.from('a: 1\n'), Buffer.from('漢').subarray(0, 2)]),
    'e-bom.yaml': `\uFEFF${rule('ok')}`,
  });
  const { problems, resources } = await loadConfig([dir]);
  assert.equal(brief(problems), [
    'file/encoding a-latin1.yaml:2:7',
    'file/binary b-binary.yaml:2:1',
    'file/encoding c-utf16.yaml:1:1',
    'file/encoding d-cut.yaml:2:1',
  ]);
  assert.match(problems[0]!.message, /0xe9 at offset 14/);
  assert.equal(
    resources.map((r) => r.metadata.name),
    ['ok'],
  );
});

test('files beyond the limit are refused unread', async ({ dir }) => {
  write(dir, { 'a.yaml': rule('a').repeat(10) });
  const { problems } = await loadConfig([dir], { maxFileBytes: 100 });
  assert.equal(brief(problems), ['file/too-large a.yaml:1:1']);
  const { problems: ofInput } = await loadConfig(['-'], {
    maxFileBytes: 100,
    standardInput: Readable.from([Buffer.alloc(60, 32), Buffer.alloc(60, 32)]),
  });
  assert.equal(brief(ofInput), ['file/too-large -:1:1']);
});

test('hostile documents are refused, not suffered', async ({ dir }) => {
  const laughs = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(',')}]`).join('\n');
  write(dir, {
    'a-bomb.yaml': `l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n${laughs}\n`,
    'b-deep.yaml': `a: ${'['.repeat(5000)}`,
    'c-deep.json': `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
    'd-cycle.yaml': 'a: &a\n  b: *a\n',
  });
  const { problems } = await loadConfig([dir]);
  assert.equal(
    problems.map((p) => p.rule),
    ['yaml/limit', 'yaml/limit', 'yaml/limit', 'yaml/limit'],
  );
});

test('a list of many wrong items takes time in proportion', async ({ dir }) => {
  const items = Array.from({ length: 5000 }, (_, i) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `N${i}` } }));
  write(dir, { 'list.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const { problems } = await loadConfig([dir]);
  assert.is(problems.length, 5000);
  assert.is(problems[4999]!.path, 'metadata.name');
});

test('kinds of others are counted, slips are errors', async ({ dir }) => {
  const kind = (apiVersion: string, name: string): string => `---\napiVersion: ${apiVersion}\nkind: ${name}\nmetadata: {name: x}\n`;
  write(dir, {
    'a.yaml':
      kind('rbac.authorization.k8s.io/v1', 'Role') +
      kind('rbac.authorization.k8s.io/v1', 'Role') +
      kind('v1', 'PersistentVolumeClaim') +
      kind('serving.knative.dev/v1', 'Service') +
      kind('install.istio.io/v1alpha1', 'IstioOperator'),
    'b.yaml':
      kind('networking.istio.io/v1', 'VirtualServce') +
      kind('networking.istio.io/v2', 'VirtualService') +
      kind('networking.istio.com/v1', 'VirtualService') +
      kind('security.istio.io/v1', 'VirtualService') +
      kind('v1', 'Servce') +
      kind('networking.istio.io/v1', 'Banana') +
      kind('v1', 'service') +
      kind('telemetri.istio.io/v1', 'Tracing'),
  });
  const { problems, skipped } = await loadConfig([dir]);
  assert.equal(
    [...skipped],
    [
      ['rbac.authorization.k8s.io/v1/Role', 2],
      ['v1/PersistentVolumeClaim', 1],
      ['serving.knative.dev/v1/Service', 1],
      ['install.istio.io/v1alpha1/IstioOperator', 1],
    ],
  );
  const errors = problems.filter((p) => p.severity === 'error');
  assert.equal(
    problems.filter((p) => p.severity === 'warning').map((p) => p.rule),
    Array(4).fill('kind/skipped'),
  );
  assert.equal(
    errors.map((p) => `${p.rule} ${p.position?.line}`),
    [
      'kind/unknown 3',
      'kind/unknown 6',
      'kind/unknown 10',
      'kind/unknown 14',
      'kind/unknown 19',
      'kind/unknown 23',
      'kind/unknown 27',
      'kind/unknown 30',
    ],
  );
  assert.match(errors[0]!.hint!, /kind: VirtualService/);
  assert.match(errors[2]!.hint!, /networking\.istio\.io\/v1/);
  assert.match(errors[4]!.hint!, /kind: Service/);
});

test('the same object twice names both places', async ({ dir }) => {
  write(dir, { 'a.yaml': rule('x'), 'b.yaml': `${rule('x', ', namespace: other')}---\n${rule('x').replace('/v1', '/v1beta1')}` });
  const { problems, resources } = await loadConfig([dir]);
  assert.equal(brief(problems), ['config/duplicate b.yaml:8:18']);
  assert.ok(problems[0]!.message.includes(`${join(dir, 'a.yaml')}:3:18`));
  assert.is(resources.length, 2);
});

test('names that JavaScript knows are names like others', async ({ dir }) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const labels = names.map((n) => `"${n}": "1"`).join(', ');
  write(dir, {
    'a.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: constructor, labels: {constructor: a, toString: b}}
spec:
  hosts: [constructor]
  http:
  - match: [{headers: {${names.map((n) => `"${n}": {exact: a}`).join(', ')}}}]
    route: [{destination: {host: tostring}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: tostring}
spec: {host: x, __proto__: {host: y}, constructor: 1, subsets: [{name: v1, labels: {${labels}}}]}
`,
  });
  const { problems, resources } = await loadConfig([dir]);
  assert.equal(
    problems.filter((p) => p.rule === 'schema/unknown-field').map((p) => p.path),
    ['spec.__proto__', 'spec.constructor'],
  );
  const headers = (resources[0]!.spec as { http: { match: { headers: object }[] }[] }).http[0]!.match[0]!.headers;
  assert.equal(Object.keys(headers).sort(), [...names].sort());
  assert.is(Object.getPrototypeOf(headers), Object.prototype);
  assert.is(({} as { host?: string }).host, undefined);
});

test('a MeshConfig file wins over the ConfigMap', async ({ dir }) => {
  write(dir, {
    'mesh/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    accessLogFile: a\n',
    'mesh-config.yaml': 'accessLogFile: b\naccesLogFormat: x\n',
  });
  const { problems, meshConfig } = await loadConfig([join(dir, 'mesh')]);
  assert.equal(problems, []);
  assert.is(meshConfig?.accessLogFile, 'a');
  const both = await loadConfig([join(dir, 'mesh')], { meshConfig: join(dir, 'mesh-config.yaml') });
  assert.is(both.meshConfig?.accessLogFile, 'b');
  assert.equal(brief(both.problems), ['schema/unknown-field mesh-config.yaml:2:1']);
});

test('fields that are null count as absent', async ({ dir }) => {
  write(dir, {
    'a.yaml':
      'apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: x, creationTimestamp: null}\nspec: {host: x, subsets: ~, trafficPolicy: null}\nstatus: {}\n',
  });
  const { problems, resources } = await loadConfig([dir]);
  assert.equal(problems, []);
  assert.equal(resources[0]!.spec, { host: 'x' });
});

test.run();
