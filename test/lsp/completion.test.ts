import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseConfig } from '../../src/config/parse-config.ts';
import { complete } from '../../src/lsp/features/completion.ts';
import { meshIndex } from '../../src/lsp/names/mesh-index.ts';
import type { View } from '../../src/lsp/view.ts';
import { cursorIn } from './editor.ts';

const MESH = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Service, metadata: {name: reviews, namespace: shop}, spec: {ports: [{name: http, port: 9080}, {name: grpc, port: 9090}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: ratings, namespace: far}, spec: {ports: [{name: http, port: 80}]}}
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: ext, namespace: shop}, spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}}
---
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: reviews, namespace: shop}, spec: {host: reviews, subsets: [{name: v1}, {name: v2}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: front, namespace: edge}, spec: {servers: []}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: own, namespace: shop}, spec: {servers: []}}
`;

const { resources } = await parseConfig(MESH, 'mesh.yaml');
const view: View = { index: meshIndex(resources), textOf: () => undefined, uriOf: (file) => file };

/** Labels at the cursor, and what the text is when the one of `chosen` is taken. */
function at(marked: string, chosen?: string): { labels: string[]; text: string } {
  const { text, position } = cursorIn(marked);
  const document = TextDocument.create('file:///x.yaml', 'yaml', 1, text);
  const { items } = complete(document, position, view, { namespace: 'default', multiline: true });
  const item = items.find(({ label }) => label === chosen);
  const edit = item?.textEdit as { range: never; newText: string } | undefined;
  return { labels: items.map(({ label }) => label), text: edit === undefined ? '' : TextDocument.applyEdits(document, [edit]) };
}

const HEAD = 'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: x\n  namespace: shop\nspec:\n';

const has = (labels: readonly string[], ...wanted: string[]): void =>
  assert.equal(
    wanted.filter((label) => !labels.includes(label)),
    [],
    `of ${labels.join(', ')}`,
  );

test('fields by place, without those that are there, at any stage of typing', () => {
  const top = at(`${HEAD}  hosts: [a]\n  |\n`, 'http');
  has(top.labels, 'gateways', 'http', 'tls', 'tcp', 'exportTo');
  assert.not(top.labels.includes('hosts'));
  assert.is(top.text, `${HEAD}  hosts: [a]\n  http:\n    - \n`);
  const typed = at(`${HEAD}  http:\n    - ti|\n      route:\n        - destination: {host: a}\n`, 'timeout');
  has(typed.labels, 'timeout', 'retries');
  assert.not(typed.labels.includes('route'));
  assert.is(typed.text, `${HEAD}  http:\n    - timeout: \n      route:\n        - destination: {host: a}\n`);
  has(at(`${HEAD}  http:\n    - route:\n        - destination:\n            host: a\n          |`).labels, 'weight', 'headers');
  has(at(`${HEAD}  http:\n    - route:\n        - destination: { host: a, | }\n`).labels, 'subset', 'port');
  has(at(`${HEAD}  http:\n    - retries:\n        |\n      timeout: 1s\n`).labels, 'attempts', 'perTryTimeout');
  has(at(`${HEAD}  http:\n  |`).labels, 'hosts');
});

test('an entry of a list below its key gets its dash', () => {
  const { text } = at(`${HEAD}  http:\n    |\n`, 'match');
  assert.is(text, `${HEAD}  http:\n    - match:\n        - \n`);
});

test('a key is renamed without its value', () => {
  assert.is(at(`${HEAD}  http:\n    - tim|: 3s\n`, 'timeout').text, `${HEAD}  http:\n    - timeout: 3s\n`);
});

test('values of enums and booleans', () => {
  const rule = 'apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: a\n  trafficPolicy:\n    ';
  has(at(`${rule}tls:\n      mode: |\n`).labels, 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL', 'DISABLE');
  has(at(`${rule}tls: {mode: IS|}\n`).labels, 'ISTIO_MUTUAL');
  assert.equal(at(`${rule}tls:\n      insecureSkipVerify: |\n`).labels, ['true', 'false']);
});

test('hosts: short ones of the own namespace first, full ones of all', () => {
  const { labels, text } = at(`${HEAD}  http:\n    - route:\n        - destination:\n            host: re|\n`, 'reviews');
  assert.is(labels[0], 'reviews');
  has(labels, 'reviews.shop.svc.cluster.local', 'ratings.far.svc.cluster.local', 'api.example.com');
  assert.not(labels.includes('ratings'));
  assert.match(text, /host: reviews\n$/);
  assert.match(at(`${HEAD}  http:\n    - route:\n        - destination:\n            host: "r|"\n`, 'reviews').text, /host: "reviews"\n$/);
});

test('subsets and ports of the host beside them', () => {
  assert.equal(at(`${HEAD}  http: [{route: [{destination: {host: reviews, subset: |}}]}]\n`).labels, ['v1', 'v2']);
  assert.equal(
    at(`${HEAD}  tcp:\n    - route:\n        - destination:\n            subset: |\n            host: reviews.shop.svc.cluster.local\n`)
      .labels,
    ['v1', 'v2'],
  );
  const { labels } = at(
    `${HEAD}  http:\n    - route:\n        - destination:\n            host: reviews\n            port:\n              number: |\n`,
  );
  assert.equal(labels, ['9080', '9090']);
});

test('gateways, scopes and namespaces', () => {
  assert.equal(at(`${HEAD}  gateways:\n    - |\n`).labels, ['own', 'edge/front', 'mesh']);
  assert.is(at(`${HEAD}  gateways: |\n`, 'edge/front').text, `${HEAD}  gateways: [edge/front]\n`);
  assert.is(at(`${HEAD}  gateways:\n    |\n`, 'own').text, `${HEAD}  gateways:\n    - own\n`);
  assert.is(at(`${HEAD}  exportTo:\n    - |\n`, '*').text, `${HEAD}  exportTo:\n    - "*"\n`);
  has(at('apiVersion: v1\nkind: Service\nmetadata:\n  namespace: |\n').labels, 'edge', 'far', 'shop');
});

test('apiVersion, kind, whole objects and annotations', () => {
  has(at('apiVersion: |\n').labels, 'networking.istio.io/v1', 'security.istio.io/v1', 'v1');
  assert.is(at('apiVersion: |\nkind: Gateway\n').labels[0], 'networking.istio.io/v1');
  const kinds = at('apiVersion: security.istio.io/v1\nkind: |\n').labels;
  assert.equal([...kinds].sort(), ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication']);
  assert.match(at('|', 'VirtualService').text, /^apiVersion: networking.istio.io\/v1\nkind: VirtualService\nmetadata:\n {2}name: $/);
  assert.match(at(`${HEAD}---\nV|\n`, 'VirtualService').text, /---\napiVersion: networking/);
  has(at('apiVersion: v1\nkind: Service\nmetadata:\n  annotations:\n    |\n').labels, 'networking.istio.io/exportTo');
  has(
    at('apiVersion: v1\nkind: List\nitems:\n  - apiVersion: networking.istio.io/v1\n    kind: VirtualService\n    spec:\n      |\n').labels,
    'hosts',
  );
});

test('nothing in comments, in the text of blocks, and in documents of other tools', () => {
  assert.equal(at(`${HEAD}  # |\n`).labels, []);
  assert.equal(at('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: |-\n    |\n'.replace('|-', '>-')).labels, []);
  assert.equal(at('apiVersion: example.com/v1\nkind: Thing\nspec:\n  |\n').labels, []);
});

test.run();
