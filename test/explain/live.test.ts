/** `fairlead explain` of what a running agent's proxies run now. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Explanation } from '../../src/explain/types.ts';
import { startBackend } from '../support/backend.ts';
import { fairlead } from '../support/cli.ts';
import { service, startMesh, testPort, workload } from '../support/mesh.ts';

test('asks the agent for a proxy, takes lines from -f, and names the proxies there are', async () => {
  const backend = await startBackend('one');
  const mesh = await startMesh({
    'shop.yaml': `${service('shop')}${workload('shop-1', { app: 'shop' }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
  - name: only
    route: [{ destination: { host: shop } }]
    timeout: 7s
`,
  });
  try {
    const agent = ['--agent', `unix:${mesh.agent.api.socket}`];
    const bare = await fairlead(['explain', 'http://shop/', ...agent, '--from', 'shop-1', '-o', 'json']);
    assert.is(bare.code, 0, bare.err);
    const told = JSON.parse(bare.out) as Explanation;
    assert.is(told.proxy, 'shop-1.default');
    assert.is(told.outcomes[0]?.timeouts?.total, 7000);
    assert.equal(
      told.outcomes[0]?.destination?.endpoints.map((e) => [e.address, e.share]),
      [[`127.0.0.1:${backend.port}`, 1]],
    );
    assert.is(told.outcomes[0]?.routeOrigin?.name, 'shop');
    assert.is(told.outcomes[0]?.routeOrigin?.line, undefined);
    const placed = await fairlead(['explain', 'http://shop/', ...agent, '--from', 'shop-1', '-f', mesh.folder, '-o', 'json']);
    assert.is((JSON.parse(placed.out) as Explanation).outcomes[0]?.routeOrigin?.line, 18);
    const unknown = await fairlead(['explain', 'http://shop/', ...agent, '--from', 'nobody']);
    assert.is(unknown.code, 2);
    assert.match(unknown.err, /shop-1\.default/);
  } finally {
    await mesh.close();
    await backend.close();
  }
});

test.run();
