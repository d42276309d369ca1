/** Input of every bad sort: a clear finding each, everything else still analyzed, in bounded time. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyze } from '../../src/analysis/analyze.ts';
import { loadForAnalysis } from '../../src/cli/load-analysis.ts';
import { analyzeText } from './support.ts';

/** Always found, to see that the rest is analyzed: a port without a protocol. */
const witness = 'apiVersion: v1\nkind: Service\nmetadata: {name: witness}\nspec: {ports: [{name: web, port: 8080}]}\n';

async function inFolder(write: (folder: string) => void): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  try {
    writeFileSync(join(folder, 'witness.yaml'), witness);
    write(folder);
    const { findings } = await analyze(await loadForAnalysis([folder]));
    return findings.map(({ code, position, message }) => `${code} ${position?.file.slice(folder.length + 1)}:${position?.line} ${message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const WITNESS = /^IST0118 witness\.yaml:4 /;

function check(findings: readonly string[], ...expected: readonly RegExp[]): void {
  const all = [...expected, WITNESS];
  assert.is(findings.length, all.length, findings.join('\n'));
  for (const [i, pattern] of all.entries()) assert.match(findings[i]!, pattern);
}

test('a binary file', async () => {
  check(
    await inFolder((folder) => writeFileSync(join(folder, 'a.yaml'), Buffer.from([1, 2, 0, 255]))),
    /^FL0001 a\.yaml:1 the file is binary/,
  );
});

test('invalid UTF-8, with its line', async () => {
  const bytes = Buffer.concat([Buffer.from('a: 1\nb: '), Buffer.from([0xff]), Buffer.from('\n')]);
  check(await inFolder((folder) => writeFileSync(join(folder, 'a.yaml'), bytes)), /^FL0001 a\.yaml:2 the file is not UTF-8/);
});

test('100 MB in one file', async () => {
  check(
    await inFolder((folder) => {
      writeFileSync(join(folder, 'a.yaml'), '');
      truncateSync(join(folder, 'a.yaml'), 100 * 1024 * 1024);
    }),
    /^FL0001 a\.yaml:1 the file has 100\.0 MiB, the limit is 64\.0 MiB/,
  );
});

test('a file that may not be read', async () => {
  if (process.getuid?.() === 0) return;
  check(
    await inFolder((folder) => {
      writeFileSync(join(folder, 'a.yaml'), witness);
      chmodSync(join(folder, 'a.yaml'), 0);
    }),
    /^FL0001 a\.yaml:1 cannot read .*: permission denied/,
  );
});

test('symbolic links that go round, and links to nothing', async () => {
  check(
    await inFolder((folder) => {
      mkdirSync(join(folder, 'inner'));
      symlinkSync(folder, join(folder, 'inner', 'again'));
      symlinkSync(join(folder, 'a.yaml'), join(folder, 'a.yaml'));
      symlinkSync(join(folder, 'nowhere'), join(folder, 'b.yaml'));
    }),
    /^FL0001 a\.yaml:1 cannot read .*symbolic links go round in a circle/,
    /^FL0001 b\.yaml:1 cannot read .*no such file/,
  );
});

test('broken YAML in the midst of a file: the documents around it are analyzed', async () => {
  const { findings } = await analyzeText(`${witness}---\na: [\n---\n${witness.replace('witness', 'second')}`);
  assert.equal(
    findings.map(({ code, origin, position }) => `${code} ${origin} ${position?.line}`),
    ['FL0001 File mesh.yaml 6', 'IST0118 Service default/second 11', 'IST0118 Service default/witness 4'],
  );
});

test('deep nesting, alias bombs, values that hold themselves', async () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((k, i) => `${k}: &${k} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`).join('\n')}`;
  for (const text of ['['.repeat(5000), `${'{a: '.repeat(500)}1${'}'.repeat(500)}`, bomb, '&a [*a]']) {
    const { findings } = await analyzeText(`${text}\n---\n${witness}`);
    assert.equal(
      findings.map((finding) => finding.code),
      ['FL0001', 'IST0118'],
      text.slice(0, 40),
    );
  }
});

test('ten thousand documents in a file', async () => {
  const { findings } = await analyzeText(Array.from({ length: 10_000 }, (_, i) => witness.replace('witness', `w${i}`)).join('---\n'));
  assert.is(findings.length, 10_000);
});

test('names that are properties of every JavaScript object', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const text = `${witness}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: witness, labels: {${name}: "${name}"}, annotations: {sidecar.istio.io/${name}: a, ${name}: b}}
spec:
  hosts: [${name}.example.com]
  gateways: [${name}, ${name}/${name}]
  http:
  - match: [{headers: {${name}: {exact: a}}, sourceLabels: {${name}: b}}]
    route: [{destination: {host: ${name}, subset: ${name}}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: a}
spec: {workloadSelector: {labels: {${name}: x}}, egress: [{hosts: ["*/*"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {${name}: y}, annotations: {sidecar.istio.io/${name}: a}}
spec: {containers: [{name: app}]}
---
apiVersion: ${name}/v1
kind: ${name}
metadata: {name: a}
`;
    const { findings } = await analyzeText(text);
    const codes = new Set(findings.map((finding) => finding.code));
    for (const code of ['IST0101', 'IST0108', 'IST0118', 'IST0132']) assert.ok(codes.has(code), `${name} ${code}`);
    assert.ok(
      findings.some((finding) => finding.message.includes(`the host "${name}"`)),
      name,
    );
  }
});

test('delegates that go round', async () => {
  const delegate = (name: string, to: string): string =>
    `---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}}\nspec: {http: [{delegate: {name: ${to}}}]}\n`;
  const { findings } = await analyzeText(`${witness}${delegate('a', 'b')}${delegate('b', 'a')}`);
  assert.equal(
    [...new Set(findings.map(({ code, origin }) => `${code} ${origin}`))],
    ['IST0106 VirtualService default/a', 'IST0106 VirtualService default/b', 'IST0118 Service default/witness'],
  );
});

test('objects with values of wrong types everywhere crash no analyzer', async () => {
  const wrong = ['5', '"x"', '[]', '{}', '[null]', 'null', 'true', '[[{}]]', '[{a: [1]}]', '{a: {b: [1]}}'];
  const fields = [
    'hosts',
    'gateways',
    'http',
    'tcp',
    'tls',
    'exportTo',
    'selector',
    'servers',
    'ports',
    'subsets',
    'trafficPolicy',
    'template',
    'rules',
  ];
  const more = [
    'egress',
    'ingress',
    'workloadSelector',
    'accessLogging',
    'tracing',
    'configPatches',
    'containers',
    'endpoints',
    'jwtRules',
    'webhooks',
  ];
  const kinds = [
    ...['VirtualService', 'DestinationRule', 'Gateway', 'ServiceEntry', 'Sidecar', 'WorkloadEntry', 'WorkloadGroup'].map((k) => [
      'networking.istio.io/v1',
      k,
    ]),
    ...['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'].map((k) => ['security.istio.io/v1', k]),
    ['telemetry.istio.io/v1', 'Telemetry'],
    ['networking.istio.io/v1alpha3', 'EnvoyFilter'],
    ['extensions.istio.io/v1alpha1', 'WasmPlugin'],
    ...['Service', 'Namespace', 'Pod', 'Secret', 'ConfigMap', 'Node'].map((k) => ['v1', k]),
    ['apps/v1', 'Deployment'],
    ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
    ['gateway.networking.k8s.io/v1', 'Gateway'],
    ['gateway.networking.k8s.io/v1', 'HTTPRoute'],
  ];
  const documents: string[] = [witness];
  for (const [apiVersion, kind] of kinds) {
    for (const [i, value] of wrong.entries()) {
      const body = [...fields, ...more].map((field) => `  ${field}: ${value}\n`).join('');
      const meta = `{name: ${kind!.toLowerCase()}-${i}, labels: ${value}, annotations: ${value}}`;
      documents.push(
        `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${meta}\nspec:\n${body}status: ${value}\ndata: ${value}\nwebhooks: ${value}\n`,
      );
      documents.push(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: plain-${kind!.toLowerCase()}-${i}}\nspec: ${value}\n`);
    }
  }
  const { findings } = await analyzeText(documents.join('---\n'));
  assert.ok(findings.some((finding) => finding.code === 'IST0118' && finding.resourceName === 'witness'));
  assert.ok(findings.length > 500);
});

test.run();
