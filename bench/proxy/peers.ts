/** The proxies that are compared: each forwards HTTP/1.1 from its port to the same backend, with one worker. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Peer {
  name: string;
  /** Program and arguments that run it in the foreground. */
  command: readonly string[];
  port: number;
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Peers that are installed; the rest are named in `absent`. Config files are written to `scratch`. */
export function peers(scratch: string, backend: number, firstPort: number): { present: Peer[]; absent: string[] } {
  const present: Peer[] = [
    fairlead(scratch, backend, firstPort),
    { name: 'http-proxy', command: [process.execPath, here('http-proxy.ts'), String(firstPort + 1), String(backend)], port: firstPort + 1 },
  ];
  const absent: string[] = [];
  const envoy = process.env['ENVOY_PATH'] ?? inPath('envoy');
  if (envoy) present.push(envoyPeer(envoy, scratch, backend, firstPort + 2));
  else absent.push('envoy');
  const nginx = inPath('nginx');
  if (nginx) present.push(nginxPeer(nginx, scratch, backend, firstPort + 3));
  else absent.push('nginx');
  return { present, absent };
}

function fairlead(scratch: string, backend: number, port: number): Peer {
  const mesh = join(scratch, 'mesh');
  mkdirSync(mesh, { recursive: true });
  writeFileSync(
    join(mesh, 'mesh.yaml'),
    `apiVersion: v1
kind: Service
metadata: { name: backend }
spec: { selector: { app: backend }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: backend, annotations: { fairlead.dev/http-proxy-port: "${port + 10}" } }
spec: { address: 127.0.0.1, ports: { http: ${backend} }, labels: { app: backend } }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: bench }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: ${port}, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: bench }
spec:
  hosts: ["*"]
  gateways: [bench]
  http:
  - match: [{ uri: { prefix: /other } }, { headers: { x-version: { exact: v2 } } }]
    route: [{ destination: { host: backend } }]
  - route: [{ destination: { host: backend } }]
    retries: { attempts: 2, retryOn: "5xx" }
    timeout: 10s
`,
  );
  return {
    name: 'fairlead',
    command: [
      process.execPath,
      here('../../bin/fairlead.js'),
      'up',
      mesh,
      '--engine',
      'embedded',
      '--quiet',
      '--data',
      join(scratch, 'data'),
      '--api-port',
      '0',
    ],
    port,
  };
}

function envoyPeer(binary: string, scratch: string, backend: number, port: number): Peer {
  const filter = (name: string, type: string): object => ({
    name,
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.http.${type}` },
  });
  const config = {
    admin: { address: { pipe: { path: join(scratch, 'envoy-admin.sock') } } },
    static_resources: {
      listeners: [
        {
          name: 'bench',
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'bench',
                    normalize_path: true,
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [
                            { match: { prefix: '/other' }, route: { cluster: 'backend' } },
                            {
                              match: { prefix: '/', headers: [{ name: 'x-version', string_match: { exact: 'v2' } }] },
                              route: { cluster: 'backend' },
                            },
                            {
                              match: { prefix: '/' },
                              route: { cluster: 'backend', timeout: '10s', retry_policy: { retry_on: '5xx', num_retries: 2 } },
                            },
                          ],
                        },
                      ],
                    },
                    http_filters: [
                      filter('envoy.filters.http.grpc_stats', 'grpc_stats.v3.FilterConfig'),
                      filter('envoy.filters.http.fault', 'fault.v3.HTTPFault'),
                      filter('envoy.filters.http.cors', 'cors.v3.Cors'),
                      filter('envoy.filters.http.router', 'router.v3.Router'),
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'backend',
          type: 'STATIC',
          connect_timeout: '10s',
          lb_policy: 'LEAST_REQUEST',
          circuit_breakers: { thresholds: [{ max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000 }] },
          load_assignment: {
            cluster_name: 'backend',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: backend } } } }] }],
          },
        },
      ],
    },
  };
  const file = join(scratch, 'envoy.json');
  writeFileSync(file, JSON.stringify(config));
  return { name: 'envoy', command: [binary, '-c', file, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'error'], port };
}

function nginxPeer(binary: string, scratch: string, backend: number, port: number): Peer {
  const file = join(scratch, 'nginx.conf');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${scratch}/nginx.pid; error_log ${scratch}/nginx.log;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${scratch}/n1; proxy_temp_path ${scratch}/n2; fastcgi_temp_path ${scratch}/n3; uwsgi_temp_path ${scratch}/n4; scgi_temp_path ${scratch}/n5;
  upstream backend { server 127.0.0.1:${backend}; keepalive 64; }
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000000; location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
`,
  );
  return { name: 'nginx', command: [binary, '-c', file, '-p', scratch], port };
}

export function inPath(program: string): string | undefined {
  const found = spawnSync('which', [program], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}
