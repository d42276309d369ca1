import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const pod = (name: string, more = ''): string =>
  `# ${name}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n${more}spec:\n  containers:\n  - {name: app, image: app}\n`;

/** Settings of sidecars that read the mesh themselves, and know the CA by its roots. */
const ALONE = ['injection.agent=pod', 'injection.namespaces=[default]'].flatMap((set) => ['--set', set]);

/** A CA, for its roots. */
async function rootsIn(folder: string): Promise<string> {
  const made = await fairlead(['ca', 'init', '--ca-dir', join(folder, 'ca')]);
  assert.is(made.code, 0, made.err);
  const bundle = await fairlead(['ca', 'bundle', '--ca-dir', join(folder, 'ca')]);
  const file = join(folder, 'roots.pem');
  writeFileSync(file, bundle.out);
  return file;
}

test(
  'files and folders come out as one stream, with the settings and the roots that are named; injected again it is the same',
  withScratch(async (folder) => {
    const roots = await rootsIn(folder);
    mkdirSync(join(folder, 'pods'));
    writeFileSync(join(folder, 'pods/a.yaml'), pod('a').trimEnd());
    writeFileSync(join(folder, 'pods/b.yaml'), pod('b', '  labels: {sidecar.istio.io/inject: "false"}\n'));
    const args = ['inject', '--ca-roots', roots, ...ALONE, '--set', 'image=registry.example.com/fairlead:7'];
    const { code, out, err } = await fairlead([...args, '-f', join(folder, 'pods')]);
    assert.is(code, 0, err);
    assert.match(out, /^# a\n/);
    assert.match(out, /image: registry\.example\.com\/fairlead:7/);
    assert.match(out, /\n---\n# b\n/);
    const [certificate = ''] = /BEGIN CERTIFICATE-----\n(\S+)/.exec(readFileSync(roots, 'utf8'))?.slice(1) ?? [];
    assert.ok(out.includes(certificate));
    assert.is(err, 'note: Pod default/b gets no sidecar: the label sidecar.istio.io/inject is "false"\n');
    const again = await fairlead([...args, '-f', '-', '-q'], { input: out });
    assert.is(again.out, out);
    assert.is(again.err, '');
  }),
);

test(
  'nothing is printed when something cannot be had, or cannot be read',
  withScratch(async (folder) => {
    const roots = await rootsIn(folder);
    const inject = (input: string, ...more: string[]) => fairlead(['inject', '-f', '-', ...more], { input });
    const captured = await inject(
      `${pod('good')}---\n${pod('bad', '  annotations: {sidecar.istio.io/interceptionMode: TPROXY}\n')}`,
      '--ca-roots',
      roots,
    );
    assert.is(captured.code, 1);
    assert.is(captured.out, '');
    assert.match(captured.err, /-:15:\d+ {2}Pod default\/bad/);
    const broken = await inject('kind: [', '--ca-roots', roots);
    assert.is(broken.code, 1);
    assert.is(broken.out, '');
    const rootless = await inject(pod('a'), ...ALONE);
    assert.is(rootless.code, 2);
    assert.match(rootless.err, /--ca-roots/);
    const strict = `{apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {pod-security.kubernetes.io/enforce: baseline}}}\n---\n${pod('a')}`;
    const forbidden = await inject(strict);
    assert.is(forbidden.code, 1);
    assert.match(
      forbidden.err,
      /asks the CA itself \(Pod Security of its namespace forbids folders of the node.*the CA’s roots are not known/,
    );
    assert.is((await inject(strict, '--ca-roots', roots)).code, 0);
    assert.is((await inject(pod('a'), '--ca-roots', join(folder, 'none.pem'))).code, 3);
    writeFileSync(join(folder, 'text.pem'), 'no certificate');
    assert.is((await inject(pod('a'), '--ca-roots', join(folder, 'text.pem'))).code, 3);
    assert.is((await inject(pod('a'), '--ca-roots', roots, '--set', 'imagee=x')).code, 1);
    assert.is((await fairlead(['inject', '-f', join(folder, 'none.yaml'), '--ca-roots', roots])).code, 3);
    for (const { err } of [captured, broken, rootless]) assert.not.match(err, /\n\s+at /);
  }),
);

test('a sidecar that asks the agent of its node needs no roots', async () => {
  const { code, out, err } = await fairlead(['inject', '-f', '-', '--set', 'namespace=mesh', '--revision', 'canary'], { input: pod('a') });
  assert.is(code, 0, err);
  assert.match(out, /path: \/var\/run\/fairlead\/mesh\/agent-canary\n/);
  assert.not.match(out, /ca-roots|BEGIN CERTIFICATE/);
});

test('check-inject knows labels of namespaces, names, and selectors', async () => {
  const input = `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}\n---\n${pod('a', '  namespace: shop\n  labels: {app: a}\n')}---\n${pod('b')}`;
  const check = (...args: string[]) => fairlead(['check-inject', ...args, '-f', '-'], { input });
  const all = await check();
  assert.is(all.code, 0, all.err);
  assert.match(
    all.out,
    /Pod shop\/a +yes +node +the namespace has istio-injection=enabled\nPod default\/b +no +- +no injector is asked about it/,
  );
  assert.is((await check('a.shop')).code, 0);
  assert.is((await check('pod/b')).code, 1);
  assert.is((await check('c')).code, 2);
  assert.is((await check('service/a')).code, 2);
  assert.not.match((await check('-l', 'app=a')).out, /default\/b/);
  assert.is(JSON.parse((await check('a.shop', '-o', 'json')).out)[0].webhooks[0].revision, 'default');
  assert.match((await check('a.shop')).out, /\nthe agent of its node reads the mesh for it: injection\.agent is node\n/);
  assert.match((await check('a.shop', '-r', 'canary')).out, /gets no sidecar/);
});

test.run();
