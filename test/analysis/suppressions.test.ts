import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AnalyzeOptions } from '../../src/analysis/analyze.ts';
import { readBaseline, writeBaseline } from '../../src/analysis/baseline.ts';
import { parseSuppression } from '../../src/analysis/suppressions.ts';
import { analyzeText } from './support.ts';

const service = (name: string, more = '', namespace = 'shop'): string =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\n${more}spec:\n  ports:\n    - name: web\n      port: 8080\n`;

async function codes(text: string, options: AnalyzeOptions = {}): Promise<string[]> {
  const { findings } = await analyzeText(text, options);
  return findings.map(({ code, origin }) => `${code} ${origin}`);
}

const flags = (...written: string[]) => ({ suppress: written.map((text) => parseSuppression(text)!) });

test('a flag hides a code on a resource, as istioctl writes it and with the namespace behind', async () => {
  assert.equal(await codes(service('a')), ['IST0118 Service shop/a']);
  for (const resource of ['Service shop/a', 'Service a.shop', 'Service *', '*', 'Service shop/*', '*a*']) {
    assert.equal(await codes(service('a'), flags(`IST0118=${resource}`)), [], resource);
  }
  for (const resource of ['Service shop/b', 'Pod shop/a', 'Service a', 'Service shop/a.']) {
    assert.equal(
      (await codes(service('a'), flags(`IST0118=${resource}`))).filter((line) => line.startsWith('IST')),
      ['IST0118 Service shop/a'],
      resource,
    );
  }
});

test('a flag is CODE=RESOURCE', () => {
  for (const written of ['IST0118', '=Service a', 'IST0118=', '']) assert.is(parseSuppression(written), undefined, written);
});

test('Istio’s annotation hides the codes that it names, and * all', async () => {
  const annotated = (codesText: string): string => service('a', `  annotations:\n    galley.istio.io/analyze-suppress: "${codesText}"\n`);
  assert.equal(await codes(annotated('IST0118')), []);
  assert.equal(await codes(annotated('IST0001, IST0118')), ['FL0005 Service shop/a']);
  assert.equal(await codes(annotated('*')), []);
  assert.equal(await codes(annotated('IST0101')), ['FL0005 Service shop/a', 'IST0118 Service shop/a']);
});

test('a comment hides what is on its line, below it, or in its whole document', async () => {
  const text = service('a');
  for (const commented of [
    text.replace('name: web', 'name: web # fairlead:ignore IST0118 old clients'),
    text.replace('    - name', '    # fairlead:ignore IST0118\n    - name'),
    text.replace('spec:', '# fairlead:ignore IST0118: ours\nspec:'),
    `# fairlead:ignore IST0118\n${text}`,
    `# A service.\n# fairlead:ignore IST0101, IST0118\n\n---\n${text}`.replace('IST0101, ', ''),
  ]) {
    assert.equal(await codes(commented), [], commented);
  }
  const { findings } = await analyzeText(text.replace('  name: a', '  # fairlead:ignore IST0118\n  name: a'));
  assert.equal(
    findings.map(({ code, position }) => `${code} ${position?.line}`),
    ['FL0005 4', 'IST0118 9'],
  );
});

test('a comment of one document hides nothing of the next', async () => {
  assert.equal(await codes(`# fairlead:ignore IST0118\n${service('a')}---\n${service('b')}`), ['IST0118 Service shop/b']);
});

test('unused suppressions are reported where they stand', async () => {
  const { findings } = await analyzeText(service('a'), flags('IST0101=Service shop/a', 'IST0118=Service shop/a'));
  assert.equal(
    findings.map(({ code, level, message }) => `${code} ${level} ${message}`),
    ['FL0005 Info nothing is suppressed by --suppress "IST0101=Service shop/a"'],
  );
});

test('a namespace filter hides the findings of others, and makes nothing "not found"', async () => {
  const text = `${service('a', '', 'data')}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a.data.svc.cluster.local]
  http: [{route: [{destination: {host: a.data.svc.cluster.local}}]}]
---
apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`;
  assert.equal(await codes(text), ['IST0102 Namespace data', 'IST0102 Namespace shop', 'IST0118 Service data/a']);
  assert.equal(await codes(text, { onlyNamespace: 'shop' }), ['IST0102 Namespace shop']);
});

test('fingerprints stay when lines move, entries are inserted before, or files are renamed; and they differ', async () => {
  const route = (host: string): string => `   - {destination: {host: ${host}}}\n`;
  const mesh = (routes: string): string =>
    `${service('a')}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n hosts: [a]\n http:\n - route:\n${routes}`;
  const prints = async (text: string): Promise<Map<string, string>> =>
    new Map((await analyzeText(text)).findings.filter((f) => f.code === 'IST0101').map((f) => [f.message, f.fingerprint]));
  const before = await prints(mesh(route('x') + route('y')));
  const after = await prints(`# more lines\n\n${mesh(route('w') + route('x') + route('y'))}`);
  assert.is(before.size, 2);
  assert.is(after.size, 3);
  assert.is(new Set(after.values()).size, 3);
  for (const [message, print] of before) assert.is(after.get(message), print);
});

test('a baseline can be read back, and what is none is refused', async () => {
  const { findings } = await analyzeText(service('a'));
  const baseline = readBaseline(writeBaseline(findings));
  assert.ok(findings.every((finding) => baseline!.fingerprints.has(finding.fingerprint)));
  for (const text of ['', '[]', '{"version": 2, "findings": []}', '{"version": 1, "findings": [1]}', 'null'])
    assert.is(readBaseline(text), undefined, text);
});

test.run();
