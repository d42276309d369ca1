import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { FieldPath } from '../../src/config/resource.ts';

const at = (source: { positionOf(path: FieldPath): { line: number; column: number } }, ...path: FieldPath): string => {
  const { line, column } = source.positionOf(path);
  return `${line}:${column}`;
};
const keyAt = (source: { keyPositionOf(path: FieldPath): { line: number; column: number } }, ...path: FieldPath): string => {
  const { line, column } = source.keyPositionOf(path);
  return `${line}:${column}`;
};

const rule = `# a comment
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: first
spec:
  host: "first"
---
# another
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: second, labels: {"app.kubernetes.io/name": x} }
spec:
  host: second
  subsets:
  - name: v1
    labels:
      version: v1   # why
  -
    name: v2
`;

for (const [name, text] of [
  ['LF', rule],
  ['CR LF', rule.replaceAll('\n', '\r\n')],
  ['CR', rule.replaceAll('\n', '\r')],
  ['a byte order mark', `\uFEFF${rule}`],
] as const) {
  test(`positions of values and keys, with ${name}`, async () => {
    const { resources, problems } = await parseConfig(text, 'rules.yaml');
    assert.equal(problems, []);
    const [first, second] = resources.map((r) => r.source);
    assert.is(first!.document, 0);
    assert.is(second!.document, 1);
    assert.is(first!.positionOf([]).file, 'rules.yaml');
    assert.is(at(first!, 'spec', 'host'), '8:9');
    assert.is(keyAt(first!, 'spec', 'host'), '8:3');
    assert.is(at(second!, 'metadata', 'name'), '13:19');
    assert.is(keyAt(second!, 'metadata', 'labels', 'app.kubernetes.io/name'), '13:36');
    assert.is(at(second!, 'spec', 'subsets', 0, 'labels', 'version'), '19:16');
    assert.is(at(second!, 'spec', 'subsets', 0), '17:5');
    assert.is(at(second!, 'spec', 'subsets', 1, 'name'), '21:11');
  });
}

test('what is not there has the position of what is nearest above', async () => {
  const { resources } = await parseConfig(rule, 'rules.yaml');
  const source = resources[1]!.source;
  assert.is(at(source, 'spec', 'subsets', 7, 'name'), '17:3');
  assert.is(at(source, 'spec', 'trafficPolicy', 'tls'), '15:3');
  assert.is(keyAt(source, 'spec', 'trafficPolicy'), '14:1');
  assert.is(at(source, '__proto__', 'constructor'), '11:1');
});

test('items of a List keep their own positions', async () => {
  const text = `apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: a}
  spec: {host: a}
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata:
    name: b
  spec:
    host: b
`;
  const { resources, problems } = await parseConfig(text, 'list.yaml');
  assert.equal(problems, []);
  assert.equal(
    resources.map((r) => r.metadata.name),
    ['a', 'b'],
  );
  assert.is(at(resources[1]!.source, 'spec', 'host'), '13:11');
  assert.is(at(resources[0]!.source, 'spec', 'host'), '7:16');
  assert.is(at(resources[1]!.source), '8:3');
});

test('JSON has positions too', async () => {
  const text =
    '{\n\t"apiVersion": "networking.istio.io/v1",\n\t"kind": "DestinationRule",\n\t"metadata": {"name": "a"},\n\t"spec": {"host": "a\\u002eb"}\n}\n';
  const { resources, problems } = await parseConfig(text, 'a.json');
  assert.equal(problems, []);
  assert.equal(resources[0]!.spec, { host: 'a.b' });
  assert.is(at(resources[0]!.source, 'spec', 'host'), '5:19');
});

test('columns count UTF-16 units', async () => {
  const text =
    'apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {annotations: {a: "😀漢"}, name: x}\nspec: {host: x}\n';
  const { resources } = await parseConfig(text, 'a.yaml');
  assert.is(at(resources[0]!.source, 'metadata', 'name'), `3:${'metadata: {annotations: {a: "😀漢"}, name: '.length + 1}`);
});

test('positions through aliases and merge keys lead to where the value is written', async () => {
  const text = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x}
spec:
  host: x
  subsets:
  - &one
    name: one
    labels: &l
      version: v1
  - <<: *one
    name: two
  - name: three
    labels: *l
`;
  const { resources, problems } = await parseConfig(text, 'a.yaml');
  assert.equal(problems, []);
  const { source } = resources[0]!;
  assert.is(at(source, 'spec', 'subsets', 1, 'labels', 'version'), '10:16');
  assert.is(at(source, 'spec', 'subsets', 1, 'name'), '12:11');
  assert.is(at(source, 'spec', 'subsets', 2, 'labels'), '14:13');
  assert.is(at(source, 'spec', 'subsets', 2, 'labels', 'version'), '10:16');
});

test('block scalars begin at their sign', async () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: |-  # text\n    one\n  b: >\n\n    two\n';
  const { resources } = await parseConfig(text, 'a.yaml');
  const { source } = resources[0]!;
  assert.is(at(source, 'data', 'a'), '5:6');
  assert.is(at(source, 'data', 'b'), '7:6');
});

test('the mesh key of ConfigMap istio is read, with positions inside the text', async () => {
  const text = `apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    accessLogFile: /dev/stdout
    defaultConfig:
      concurrency: 2
    outboundTrafficPolicy:
      mode: REGISTRY_ONLE
`;
  const { problems, meshConfig } = await parseConfig(text, 'cm.yaml');
  assert.is(meshConfig?.accessLogFile, '/dev/stdout');
  assert.equal(
    problems.map((p) => [p.rule, p.position?.line, p.position?.column, p.path, p.origin]),
    [['schema/enum', 10, 13, 'outboundTrafficPolicy.mode', 'MeshConfig']],
  );
});

test.run();
