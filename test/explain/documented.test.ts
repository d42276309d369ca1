/** Every field that explain puts out is in docs/explain.md, and what the page shows is what the command says. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDump } from '../../src/envoy/dump/read-dump.ts';
import { draw } from '../../src/explain/draw.ts';
import { explainConnection } from '../../src/explain/explain.ts';
import { exposuresOf } from '../../src/explain/exposures.ts';
import { viewOfDump } from '../../src/explain/view-of-dump.ts';
import { explanationText } from '../../src/output/explain/text.ts';
import { istioDump, rbacFilter } from './istio-dump.ts';
import { get, viewOf } from './view.ts';

const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8');
const documented = new Set([...page.matchAll(/`([A-Za-z][A-Za-z0-9]*)`/g)].map(([, name]) => name));

/** Names of all fields; `details` are free to change. */
function fields(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) fields(item, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      into.add(name);
      if (name !== 'details') fields(inner, into);
    }
  }
}

test('every field is documented', async () => {
  const shop = await viewOf(['examples/shop/mesh'], 'web');
  const gateway = await viewOf(['examples/shop/mesh'], 'ingressgateway');
  const istio = viewOfDump(await readDump(istioDump([rbacFilter('ALLOW', '/other')]), 'dump.json'));
  const told = [
    ...['catalog', 'orders', 'stock', 'delivery', 'ratings', 'nope.example'].map((host) => get(shop, `http://${host}/`)),
    get(gateway, 'http://shop.example.com/shop'),
    get(gateway, 'http://shop.example.com/nowhere'),
    get(istio, 'http://reviews:9080/', { headers: [['end-user', 'jason']] }),
    get(istio, 'http://web:9080/', { entry: { kind: 'inbound', port: 9080 } }),
    explainConnection(istio, { host: 'mysql', port: 3306 }),
  ];
  const names = new Set<string>();
  fields([...told, { draws: draw(told[0]!, 10, 1) }, exposuresOf(gateway)], names);
  const missing = [...names].filter((name) => !documented.has(name));
  assert.equal(missing, []);
});

test('the page shows what is said', async () => {
  const view = await viewOf(['examples/shop/mesh'], 'client');
  const text = explanationText(
    get(view, 'http://catalog/', { headers: [['x-tester', 'Yes']] }),
    { color: false, width: 100 },
    'GET http://catalog/',
  );
  assert.ok(page.includes(text.trimEnd()), text);
});

test.run();
