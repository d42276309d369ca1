/** `fairlead wait` as CI uses it: the built command line against real agents. */
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../../agent/envoy/find.ts';
import type { WaitResult } from '../../agent/wait-applied.ts';
import { fairlead } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { service, startMesh, type TestMesh, testPort, workload } from '../support/mesh.ts';

const route = (prefix: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
  - match: [{ uri: { prefix: ${prefix} } }]
    route: [{ destination: { host: shop } }]
`;

const files = (): Record<string, string> => ({
  'shop.yaml': `${service('shop')}${workload('shop', { app: 'shop' }, 9, { 'fairlead.dev/http-proxy-port': String(testPort()) })}`,
  'routes.yaml': route('/a'),
});

async function withMesh(
  run: (mesh: TestMesh, wait: (...args: string[]) => ReturnType<typeof fairlead>) => Promise<void>,
  options = {},
): Promise<void> {
  const mesh = await startMesh(files(), options);
  try {
    await run(mesh, (...args) => fairlead(['wait', '--agent', `unix:${mesh.agent.api.socket}`, ...args]));
  } finally {
    await mesh.close();
  }
}

const parse = (out: string): WaitResult => JSON.parse(out) as WaitResult;

/** What both engines must do. */
async function tellsWhatIsApplied(mesh: TestMesh, wait: (...args: string[]) => ReturnType<typeof fairlead>): Promise<void> {
  const before = mesh.proxy('shop.default').version;
  mesh.write('routes.yaml', route('/b'));
  const applied = await wait('-o', 'json');
  assert.is(applied.code, 0, applied.err);
  const told = parse(applied.out);
  assert.is(told.result, 'applied');
  assert.equal(told.waiting, []);
  assert.is.not(told.proxies[0]?.version, before, 'what was saved is applied when wait returns');
  assert.is(told.proxies[0]?.version, mesh.proxy('shop.default').version);
  const { body } = await mesh.agent.engine.admin(mesh.proxy('shop.default').id, 'GET', '/config_dump');
  assert.match(body.toString('utf8'), /"prefix": ?"\/b"/);

  mesh.write('routes.yaml', route('/c').replace('route:', 'rout:'));
  const refused = await wait();
  assert.is(refused.code, 1, refused.err);
  assert.is(refused.out, '');
  assert.match(refused.err, /refused[\s\S]*rout[\s\S]*routes\.yaml:8:5/);
  const refusedJson = await wait('-o', 'json');
  assert.is(refusedJson.code, 1, refusedJson.err);
  assert.is(parse(refusedJson.out).problems[0]?.position?.line, 8);

  mesh.write('routes.yaml', route('/d'));
  const again = await wait('shop');
  assert.is(again.code, 0, again.err);
  assert.match(again.out, /^shop has applied the configuration: 3 resources of 2 files, /);
}

test('returns when the configuration on disk is applied, and says why it is refused', () => withMesh(tellsWhatIsApplied));

const envoy = realEnvoy();
if ('path' in envoy)
  test('does so with the real Envoy', async () => {
    process.env['ENVOY_PATH'] = envoy.path;
    assert.ok(await findEnvoy());
    await withMesh(tellsWhatIsApplied, { engine: 'envoy' });
  });
else test.skip(`does so with the real Envoy (${envoy.missing})`, () => undefined);

test('a proxy that cannot have its port is a refusal with the line that asks for it', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  try {
    await withMesh(async (mesh, wait) => {
      mesh.write(
        'shop.yaml',
        `${service('shop')}${workload('shop', { app: 'shop' }, 9, { 'fairlead.dev/http-proxy-port': String(port) })}`,
      );
      const { code, err } = await wait();
      assert.is(code, 1);
      assert.match(err, new RegExp(`${port}[\\s\\S]*shop\\.yaml:\\d+`));
    });
  } finally {
    taken.close();
  }
});

test('--for waits for a resource that is not there yet, and gives up at the deadline with exit code 3', () =>
  withMesh(async (mesh, wait) => {
    const late = await wait('--for', 'vs/later', '--timeout', '700ms');
    assert.is(late.code, 3);
    assert.match(late.err, /still waiting for VirtualService later\.default/);
    const json = await wait('--for', 'vs/later.default', '--timeout', '300ms', '-o', 'json');
    assert.is(json.code, 3);
    assert.equal(parse(json.out).waiting, ['VirtualService later.default']);
    const waiting = wait('--for', 'VirtualService/later', '--timeout', '20s');
    mesh.write('later.yaml', route('/x').replace('name: shop', 'name: later').replace('[shop]', '[later.example.com]'));
    assert.is((await waiting).code, 0);
  }));

test('a data plane that does not take it is a deadline, not a refusal; and nothing is lost by giving up', () =>
  withMesh(async (mesh, wait) => {
    const pid = mesh.agent.status().engine.pid as number;
    process.kill(pid, 'SIGSTOP');
    try {
      mesh.write('routes.yaml', route('/z'));
      const { code, err } = await wait('--timeout', '1s');
      assert.is(code, 3, err);
      assert.match(err, /not applied after \d+\.\d s; still waiting for the agent, which is still applying it/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const then = await wait();
    assert.is(then.code, 0, then.err);
  }));

test('an agent that never answers is a deadline', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const sockets = new Set<{ destroy(): void }>();
  silent.on('connection', (s) => sockets.add(s));
  try {
    const { code, err } = await fairlead(['wait', '--agent', `http://127.0.0.1:${port}`, '--timeout', '500ms']);
    assert.is(code, 3);
    assert.match(err, /still waiting for the agent\b/);
  } finally {
    for (const s of sockets) s.destroy();
    silent.close();
  }
});

test('bad input is one clear error', () =>
  withMesh(async (_mesh, wait) => {
    const cases: [string[], number, RegExp][] = [
      [['nobody'], 2, /no proxy nobody runs on this node[\s\S]*shop\.default/],
      [['--for', 'reviews'], 2, /KIND\/NAME/],
      [['--for', 'foo/reviews'], 2, /no kind "foo"/],
      [['--timeout', 'soon'], 2, /not a length of time/],
    ];
    for (const [args, code, words] of cases) {
      const ran = await wait(...args);
      assert.is(ran.code, code, args.join(' '));
      assert.match(ran.err, words);
      assert.not.match(ran.err, / at .*\.(?:js|ts):/);
    }
    const absent = await fairlead(['wait', '--agent', 'unix:/nowhere/socket']);
    assert.is(absent.code, 3);
    assert.match(absent.err, /no agent answers/);
  }));

test.run();
