/** A real Envoy as it stands beside an application under Istio: node, metadata, names and admin port as pilot-agent would have them, without a control plane behind it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEnvoy } from './envoy.ts';
import { until } from './http.ts';
import { adsOf } from './silent-ads.ts';

export interface IstioEnvoy {
  readonly adminPort: number;
  /** Has Envoy read a listener that it refuses. */
  breakListeners(): void;
  close(): Promise<void>;
}

const istioConfig = (config: string): object => ({
  filter_metadata: { istio: { config: `/apis/networking.istio.io/v1/namespaces/shop/${config}` } },
});

const route = {
  name: '80',
  virtual_hosts: [
    {
      name: 'reviews.shop.svc.cluster.local:80',
      domains: ['reviews.shop.svc.cluster.local', 'reviews', 'reviews.shop'],
      routes: [
        {
          name: 'v2',
          match: { prefix: '/v2' },
          route: { cluster: 'outbound|80|v2|reviews.shop.svc.cluster.local', timeout: '3s' },
          metadata: istioConfig('virtual-service/reviews'),
        },
        { match: { prefix: '/' }, direct_response: { status: 403 }, metadata: istioConfig('virtual-service/reviews') },
      ],
    },
  ],
};

const listener = (port: number, name = '0.0.0.0_80') => ({
  '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
  name,
  traffic_direction: 'OUTBOUND',
  address: { socket_address: { address: '0.0.0.0', port_value: port } },
  bind_to_port: false,
  filter_chains: [
    {
      filters: [
        {
          name: 'envoy.filters.network.http_connection_manager',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            stat_prefix: name,
            route_config: route,
            // What Istio's proxies send here is never shown whole.
            access_log: [],
            http_filters: [
              {
                name: 'envoy.filters.http.router',
                typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
              },
            ],
          },
        },
      ],
    },
  ],
});

/** Where the redirected connections come in. */
const virtualOutbound = {
  '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
  name: 'virtualOutbound',
  traffic_direction: 'OUTBOUND',
  use_original_dst: true,
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      name: 'virtualOutbound-catchall-tcp',
      filters: [
        {
          name: 'envoy.filters.network.tcp_proxy',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
            stat_prefix: 'PassthroughCluster',
            cluster: 'PassthroughCluster',
          },
        },
      ],
    },
  ],
};

const passthrough = {
  '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  name: 'PassthroughCluster',
  type: 'ORIGINAL_DST',
  lb_policy: 'CLUSTER_PROVIDED',
};

const cluster = {
  '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  name: 'outbound|80|v2|reviews.shop.svc.cluster.local',
  type: 'STATIC',
  load_assignment: {
    cluster_name: 'outbound|80|v2|reviews.shop.svc.cluster.local',
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '10.1.1.1', port_value: 9080 } } } }] }],
  },
  metadata: istioConfig('destination-rule/reviews'),
};

/** @param more goes into the bootstrap; `ads` is the port of a control plane */
export async function startIstioEnvoy(more: object = {}, ads?: number): Promise<IstioEnvoy | { missing: string }> {
  const envoy = realEnvoy();
  if ('missing' in envoy) return envoy;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-istio-'));
  const write = (name: string, content: object): void => {
    // Envoy looks for files that are moved to their place.
    writeFileSync(join(folder, `${name}.new`), JSON.stringify(content));
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  write('lds.json', { version_info: '1', resources: [virtualOutbound, listener(80)] });
  write('cds.json', { version_info: '1', resources: [cluster, passthrough] });
  const file = (name: string): object => ({ resource_api_version: 'V3', path_config_source: { path: join(folder, name) } });
  write('bootstrap.json', {
    node: {
      id: 'sidecar~10.0.0.7~web-6f7d9.shop~shop.svc.cluster.local',
      cluster: 'web.shop',
      metadata: { NAME: 'web-6f7d9', NAMESPACE: 'shop', ISTIO_VERSION: '1.27.1', CLUSTER_ID: 'Kubernetes' },
    },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    dynamic_resources: {
      lds_config: file('lds.json'),
      cds_config: file('cds.json'),
      ...(ads === undefined ? {} : { ads_config: adsOf(ads).ads }),
    },
    ...(ads === undefined ? {} : { static_resources: { clusters: [adsOf(ads).cluster] } }),
    ...more,
  });
  const admin = join(folder, 'admin');
  const child: ChildProcess = spawn(
    envoy.path,
    ['-c', join(folder, 'bootstrap.json'), '--admin-address-path', admin, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warning'],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let adminPort = 0;
  await until('Envoy is live', async () => {
    if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
    try {
      adminPort = Number(readFileSync(admin, 'utf8').split(':').at(-1));
      const listeners = await (await fetch(`http://127.0.0.1:${adminPort}/listeners`)).text();
      return listeners.includes('0.0.0.0_80');
    } catch {
      return false;
    }
  });
  return {
    adminPort,
    breakListeners: () =>
      write('lds.json', {
        version_info: '2',
        resources: [
          virtualOutbound,
          listener(80),
          {
            ...listener(81, '0.0.0.0_81'),
            filter_chains: [],
            listener_filters: [
              { name: 'no.such.filter', typed_config: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster' } },
            ],
          },
        ],
      }),
    async close() {
      process.off('exit', kill);
      kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
