/** From a request to the line that routed it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRouteLocator } from '../../agent/route-locator.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { requestRecord } from '../support/record.ts';

const routes = (before = ''): string => `${before}apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
  - match:
    - uri: { prefix: /a }
    - uri: { prefix: /b }
    route: [{ destination: { host: reviews } }]
  - route: [{ destination: { host: reviews } }]
`;

async function meshOf(text: string): Promise<Mesh> {
  const { resources, problems } = await parseConfig(text, 'routes/reviews.yaml');
  assert.equal(problems, []);
  return buildMesh(resources);
}

test('the match, the route, or the resource; nothing when it is not known', async () => {
  const mesh = await meshOf(routes());
  const locate = createRouteLocator(() => mesh);
  assert.is(locate(requestRecord({ field: 'http[0].match[1]' })), 'reviews.yaml:9');
  assert.is(locate(requestRecord({ field: 'http[1]' })), 'reviews.yaml:11');
  assert.is(locate(requestRecord({ field: undefined })), 'reviews.yaml:3');
  assert.is(locate(requestRecord({ field: 'http[9].match[9]' })), 'reviews.yaml:7');
  assert.is(locate(requestRecord({ config: undefined })), undefined);
  assert.is(locate(requestRecord({ config: '/apis/other', field: 'http[0]' })), undefined);
  assert.is(createRouteLocator(() => undefined)(requestRecord()), undefined);
});

test('a new mesh has new lines', async () => {
  let mesh = await meshOf(routes());
  const locate = createRouteLocator(() => mesh);
  assert.is(locate(requestRecord({ field: 'http[1]' })), 'reviews.yaml:11');
  mesh = await meshOf(routes('# a line more\n'));
  assert.is(locate(requestRecord({ field: 'http[1]' })), 'reviews.yaml:12');
});

test.run();
