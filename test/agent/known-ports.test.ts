/** What `up` proposes to try, and what it says of a request to a port that the service does not have. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exampleUrl, wrongPort } from '../../agent/known-ports.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { workload } from '../support/mesh.ts';

const shop = `apiVersion: v1
kind: Service
metadata: { name: db }
spec: { selector: { app: db }, ports: [{ name: tcp, port: 5432 }] }
---
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: shop }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }, { name: http-admin, port: 9081 }] }
---
`;
const meshOf = async (text: string) => buildMesh((await parseConfig(text, 'a.yaml')).resources);
const failed = { upstreamCluster: 'AllowAnyDynamicDNSCluster', flags: 'DF', proxy: 'web.shop' };

test('the proposed URL names a service that speaks HTTP, its port, and the name that its caller would use', async () => {
  const mesh = await meshOf(shop);
  assert.is(exampleUrl(mesh, { namespace: 'shop' }), 'http://reviews:9080/');
  assert.is(exampleUrl(mesh, { namespace: 'default' }), 'http://reviews.shop:9080/');
});

test('a service that has an instance goes before one that has none; port 80 is left out', async () => {
  const mesh = await meshOf(
    `${shop}apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
${workload('web', { app: 'web' }, 8080)}`,
  );
  assert.is(exampleUrl(mesh, { namespace: 'shop' }), 'http://web.default/');
});

test('without any service that speaks HTTP nothing is proposed', async () => {
  assert.is(exampleUrl(await meshOf(shop.split('---')[0]!), { namespace: 'default' }), undefined);
});

test('a request to a port that the service does not have is told which it has', async () => {
  const mesh = await meshOf(shop);
  const of = (authority: string): string | undefined => wrongPort(mesh, { ...failed, authority });
  assert.is(of('reviews'), 'reviews has ports 9080, 9081, not 80');
  assert.is(of('reviews:81'), 'reviews has ports 9080, 9081, not 81');
  assert.is(of('db.default:80'), 'db.default has port 5432, not 80');
  assert.is(of('Reviews.Shop.svc.cluster.local:1'), 'reviews.shop.svc.cluster.local has ports 9080, 9081, not 1');
  assert.is(of('nobody:80'), undefined);
  assert.is(of('reviews:9080'), undefined);
  assert.is(wrongPort(mesh, { ...failed, flags: '-', authority: 'reviews:81' }), undefined);
});

test.run();
