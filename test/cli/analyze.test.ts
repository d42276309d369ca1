/** `fairlead analyze` as people run it: the built command line, against a real agent too. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FindingJson } from '../../src/output/findings/json.ts';
import { fairlead } from '../support/cli.ts';
import { until } from '../support/http.ts';
import { service, startMesh, testPort, workload } from '../support/mesh.ts';

const files = {
  'shop.yaml': `${service('shop')}${workload('shop', { app: 'shop' }, 9, { 'fairlead.dev/http-proxy-port': String(testPort()) })}`,
  'routes.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
  - route: [{ destination: { host: shop, subset: v1 } }]
`,
};

test('what the agent reads is analyzed, in its files', async () => {
  const mesh = await startMesh(files);
  try {
    const agent = `unix:${mesh.agent.api.socket}`;
    const { code, out, err } = await fairlead(['analyze', '--agent', agent, '-o', 'json']);
    assert.is(code, 1, err);
    const found = (JSON.parse(out) as FindingJson[]).find((finding) => finding.code === 'IST0101')!;
    assert.match(found.file!, /routes\.yaml$/);
    assert.equal([found.line, found.path], [7, 'spec.http[0].route[0].destination.subset']);
    const text = await fairlead(['analyze', '--live'], { env: { FAIRLEAD_AGENT: agent } });
    assert.match(text.out, /7 \| {3}- route: \[\{ destination: \{ host: shop, subset: v1 \} \}\]/);

    mesh.write('routes.yaml', files['routes.yaml'].replace('route:', 'rout:'));
    await until('the agent refuses it', async () => mesh.agent.status().config.state === 'refused');
    const refused = await fairlead(['analyze', '--agent', agent]);
    assert.is(refused.code, 1, refused.err);
    assert.match(refused.err, /the agent refused this configuration/);
    assert.match(refused.out, /no field `rout`[\s\S]*routes\.yaml:7:5/);
  } finally {
    await mesh.close();
  }
});

test('without an agent it says so, and beside paths it makes no sense', async () => {
  const none = await fairlead(['analyze', '--agent', 'unix:/nowhere/agent.sock']);
  assert.is(none.code, 3, none.err);
  assert.match(none.err, /no agent answers at unix:\/nowhere\/agent\.sock/);
  const both = await fairlead(['analyze', 'mesh', '--live']);
  assert.is(both.code, 2, both.err);
  assert.match(both.err, /mesh is named, and the running agent’s configuration is asked for/);
});

test('kinds that a mesh does not read are named beside every format', async () => {
  const input = 'apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\n';
  for (const output of ['json', 'yaml', 'sarif', 'junit', 'github', 'text']) {
    const { code, out, err } = await fairlead(['analyze', '-', '-o', output], { input });
    assert.is(code, 0, err);
    assert.match(output === 'text' ? out : err, /not analyzed, since a mesh does not read them: example\.com\/v1\/Foo \(1\)/);
  }
});

test.run();
