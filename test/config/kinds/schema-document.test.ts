import { readdirSync, readFileSync } from 'node:fs';
import Value from 'typebox/value';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { MeshConfig } from '../../../src/config/kinds/mesh-config.ts';
import { findKind, kindByName, kinds, schemaDocument } from '../../../src/config/kinds/registry.ts';
import { plainDocument } from '../../../src/config/kinds/schema-document.ts';

const check = (document: object, value: unknown): boolean => Value.Check(document as never, value);
const documentOf = (name: string) => schemaDocument(kindByName(name)!);
const virtualService = (spec: unknown, more: object = {}) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'a' },
  spec,
  ...more,
});

test('the examples are valid by the documents, which hold nothing but JSON Schema', () => {
  const folder = new URL('./examples/', import.meta.url);
  for (const file of readdirSync(folder)) {
    if (file.startsWith('mesh-')) continue;
    for (const parsed of parseAllDocuments(readFileSync(new URL(file, folder), 'utf8'))) {
      const object = (parsed as { toJS(): Record<string, unknown> }).toJS();
      const kind = findKind(String(object['apiVersion']), String(object['kind']))!;
      const document = JSON.parse(JSON.stringify(schemaDocument(kind)));
      const wrong = Value.Errors(document, object).map((e) => `${e.instancePath} ${e.message}`);
      assert.equal(wrong, [], file);
    }
  }
  for (const kind of kinds) {
    const text = JSON.stringify(schemaDocument(kind));
    assert.not.match(text, /"x-|"format"|"~/, kind.kind);
  }
});

test('an object of another kind or version is not valid', () => {
  const document = documentOf('vs');
  assert.ok(check(document, virtualService({ hosts: ['a'] })));
  assert.not(check(document, virtualService({}, { kind: 'Gateway' })));
  assert.not(check(document, virtualService({}, { apiVersion: 'networking.istio.io/v2' })));
  assert.not(check(document, virtualService({}, { hosts: ['a'] })), 'a field beside spec');
  assert.not(check(document, virtualService({ host: ['a'] })), 'an unknown field');
});

test('what excludes each other is not valid together', () => {
  const match = (uri: object) => virtualService({ http: [{ match: [{ uri }] }] });
  const document = documentOf('vs');
  assert.ok(check(document, match({ exact: '/a' })));
  for (const uri of [
    { exact: '/a', prefix: '/' },
    { prefix: '/', regex: '.*' },
    { exact: '/a', regex: '.*' },
  ])
    assert.not(check(document, match(uri)), JSON.stringify(uri));
});

test("durations are Go's", () => {
  const document = documentOf('vs');
  const timeout = (value: string) => virtualService({ http: [{ timeout: value }] });
  for (const good of ['5s', '1.5s', '.5s', '1h30m', '100ms', '0', '10us', '10µs']) assert.ok(check(document, timeout(good)), good);
  for (const bad of ['5', '1d', 'PT5S', '', 's', '5 s', '1.2.3s']) assert.not(check(document, timeout(bad)), bad);
});

test('kinds that need something in spec need spec', () => {
  const object = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata: { name: 'a' } };
  assert.not(check(documentOf('dr'), object));
  assert.ok(check(documentOf('dr'), { ...object, spec: { host: 'a' } }));
  assert.ok(check(documentOf('vs'), virtualService({})));
});

test("fields of Kubernetes' kinds that are not declared pass, and those of kinds without spec stand at the top", () => {
  const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'a' }, endpoints: [] };
  assert.not(check(documentOf('endpointslice'), slice), 'addressType is missing');
  assert.ok(check(documentOf('endpointslice'), { ...slice, addressType: 'IPv4', other: 1 }));
  assert.not(check(documentOf('endpointslice'), { ...slice, addressType: 'IPX' }));
});

test('descriptions and deprecations are kept for editors', () => {
  interface Part {
    description?: string;
    deprecated?: boolean;
    properties?: Record<string, Part>;
    items?: Part;
  }
  const spec = (documentOf('vs') as Part).properties?.['spec'];
  assert.match(spec?.properties?.['hosts']?.description ?? '', /^Hosts that the routes are for/);
  assert.is(spec?.properties?.['http']?.items?.properties?.['mirrorPercent']?.deprecated, true);
});

test('MeshConfig has a document as well', () => {
  const document = plainDocument('MeshConfig', MeshConfig);
  assert.ok(check(document, { trustDomain: 'a', defaultConfig: { concurrency: 2 } }));
  assert.not(check(document, { trustDomains: 'a' }));
});

test.run();
