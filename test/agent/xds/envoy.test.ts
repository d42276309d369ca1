/** The real Envoy as a client, incremental and state of the world: a mesh's config, its changes, a refusal, and traffic all the while. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { XdsEvent } from '../../../agent/xds/server.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { service, testPort, workload } from '../../support/mesh.ts';
import { until, withXds } from './fixture.ts';
import { snapshotMaker } from './shop.ts';

const SETTLE_MS = 20_000;

const envoy = realEnvoy();

function bootstrap(node: string, socket: string, protocol: 'sotw' | 'delta'): object {
  return {
    node: { id: node, cluster: 'test' },
    dynamic_resources: {
      ads_config: {
        api_type: protocol === 'delta' ? 'DELTA_GRPC' : 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3' },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        {
          name: 'xds-grpc',
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: 'xds-grpc',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
          },
        },
      ],
    },
  };
}

/** Through the sidecar's explicit proxy: the status, and which backend answered. */
function get(port: number, url: string): Promise<string> {
  return new Promise((resolve) => {
    const { host } = new URL(url);
    request({ port, host: '127.0.0.1', path: url, headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(`${response.statusCode} ${response.headers['x-instance'] ?? ''}`.trim());
    })
      .on('error', (error) => resolve(error.message))
      .end();
  });
}

const timeout = (value: string): string => `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop }
spec: { host: shop, trafficPolicy: { connectionPool: { tcp: { connectTimeout: ${value} } } } }
`;
const toCart = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec: { hosts: [shop], http: [{ match: [{ uri: { prefix: /cart } }], route: [{ destination: { host: cart } }] }, { route: [{ destination: { host: shop } }] }] }
`;

for (const protocol of ['delta', 'sotw'] as const)
  test(
    `Envoy takes a mesh's config, changes and removals, and keeps the last good one (${protocol})`,
    withXds(async ({ server, socket }) => {
      if ('missing' in envoy) return void console.log(`skipped: ${envoy.missing}`);
      const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
      const backends = await Promise.all(['shop-1', 'shop-2', 'cart-1'].map((name) => startBackend(name)));
      const [shop1, shop2, cart1] = backends as [Backend, Backend, Backend];
      const port = testPort();
      const { snapshot, secrets } = snapshotMaker();
      const web = workload('web', { app: 'web' }, 1, { 'fairlead.dev/http-proxy-port': String(port) });
      const shop = (backend: Backend): string =>
        service('shop') + workload('shop-1', { app: 'shop' }, backend.port, { 'fairlead.dev/http-proxy-port': String(port + 1000) });
      const cart =
        service('cart') + workload('cart-1', { app: 'cart' }, cart1.port, { 'fairlead.dev/http-proxy-port': String(port + 2000) });
      const events: XdsEvent[] = [];
      server.onClient((event) => events.push(event));
      const first = await snapshot(web + shop(shop1));
      const { id } = first.proxy;
      server.setSecrets(id, await secrets());
      const config = join(folder, 'bootstrap.json');
      writeFileSync(config, JSON.stringify(bootstrap(id, socket, protocol)));
      let running: ChildProcess | undefined;
      const apply = async (yaml: string): Promise<string> => {
        const next = await snapshot(yaml);
        events.length = 0;
        server.set(next);
        const result = await server.settled(id, next.version, SETTLE_MS);
        return result.applied ? 'applied' : result.problems.map((p) => `${p.origin}: ${p.message}`).join('\n');
      };
      const answered = (): string[] => events.map((e) => `${e.event} ${e.typeUrl?.split('.').at(-1)}`);
      try {
        server.set(first);
        running = spawn(envoy.path, ['-c', config, '--use-dynamic-base-id', '-l', 'error', '--concurrency', '1'], { stdio: 'ignore' });
        assert.equal(await server.settled(id, first.version, SETTLE_MS), { applied: true, version: first.version });
        assert.is(await get(port, 'http://shop/'), '200 shop-1');

        assert.is(await apply(web + shop(shop2)), 'applied');
        assert.equal(answered(), ['ack ClusterLoadAssignment'], 'an endpoint change is that and nothing else');
        assert.is(await get(port, 'http://shop/'), '200 shop-2');

        let failed = 0;
        let stop = false;
        const traffic = (async () => {
          while (!stop) if (!(await get(port, 'http://shop/')).startsWith('200')) failed++;
        })();
        assert.is(await apply(web + shop(shop2) + cart + toCart), 'applied');
        assert.is(await get(port, 'http://shop/cart/1'), '200 cart-1');
        assert.is(await get(port, 'http://shop/'), '200 shop-2');

        assert.is(await apply(web + shop(shop2) + cart + toCart + timeout('3s')), 'applied');
        assert.ok(answered().includes('ack ClusterLoadAssignment'), 'a changed cluster gets its endpoints again');
        assert.is(await apply(web + shop(shop2)), 'applied');
        stop = true;
        await traffic;
        assert.is(failed, 0, 'make before break');
        assert.is(await get(port, 'http://shop/cart/1'), '200 shop-2');

        const good = await snapshot(web + shop(shop1));
        const bad = {
          ...good,
          version: 'bad',
          clusters: good.clusters.map((c) => (c.name?.includes('shop') ? { ...c, connectTimeout: '-3s' } : c)),
        };
        server.set(bad);
        const refused = await server.settled(id, 'bad', SETTLE_MS);
        assert.is(refused.applied, false);
        assert.match(
          refused.applied ? '' : refused.problems.map((p) => `${p.origin}: ${p.message}`).join('\n'),
          /^cluster outbound\|80\|\|shop\..*: Envoy refuses .*duration/i,
        );
        assert.is(await get(port, 'http://shop/'), '200 shop-1', 'the last good cluster, with the endpoints that were fine');
        server.set(good);
        assert.is((await server.settled(id, good.version, SETTLE_MS)).applied, true);

        const busy = shop1.port;
        const taken = {
          ...good,
          version: 'taken',
          listeners: good.listeners.map((l) =>
            l.address?.socketAddress?.portValue === port
              ? { ...l, name: 'other', address: { socketAddress: { address: '127.0.0.1', portValue: busy } } }
              : l,
          ),
        };
        server.set(taken);
        const unbound = await server.settled(id, 'taken', SETTLE_MS);
        assert.equal(unbound.applied ? [] : unbound.problems.map((p) => [p.rule, p.origin]), [['listener/port-in-use', 'listener other']]);
      } finally {
        running?.kill('SIGKILL');
        if (running) await once(running, 'exit');
        await Promise.all(backends.map((b) => b.close()));
        rmSync(folder, { recursive: true, force: true });
      }
      await until('the server knows that Envoy is gone', () => server.clients().length === 0);
    }),
  );

test.run();
