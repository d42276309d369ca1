/** The real Envoy with one snapshot as its static configuration, and the agent's access log service at its xDS socket. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { createAccessLogService } from '../../../agent/telemetry/access-log-service.ts';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { resolveMeshConfig } from '../../../src/mesh/mesh-config.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { until } from '../../support/http.ts';

export interface EnvoyProxy {
  readonly records: RequestRecord[];
  admin(path: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts it; `path` is the binary, `secrets` what the snapshot names. */
export async function startEnvoy(path: string, snapshot: Snapshot, secrets: readonly SecretJson[]): Promise<EnvoyProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-als-'));
  const [xds, adminSocket, file, log] = ['XDS', 'admin', 'envoy.json', 'log'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  const records: RequestRecord[] = [];
  const service = createAccessLogService((record) => records.push(record));
  const server = new Server();
  server.addService(service.definition, service.implementation);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${xds}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
  );
  const json = bootstrap(snapshot.proxy, { config: resolveMeshConfig({}), version: 'test', admin: { path: adminSocket }, xdsPath: xds });
  delete json.dynamicResources;
  json.staticResources = {
    clusters: [...(json.staticResources?.clusters ?? []), ...snapshot.clusters.map((c) => staticSecrets(staticCluster(c, snapshot)))],
    listeners: snapshot.listeners.map((l) => staticSecrets(staticListener(l, snapshot))),
    secrets: [...secrets],
  };
  writeFileSync(file, JSON.stringify(json));
  const out = openSync(log, 'a');
  const args = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warning'];
  const child = spawn(path, args, { stdio: ['ignore', out, out] });
  closeSync(out);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const admin = (at: string): Promise<string> => adminGet(adminSocket, at);
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    server.forceShutdown();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(
      'Envoy is ready',
      async () => {
        if (child.exitCode !== null) throw new Error(readFileSync(log, 'utf8'));
        return (await admin('/ready').catch(() => '')).startsWith('LIVE');
      },
      20_000,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { records, admin, close };
}

/** Secrets that SDS names are those of the bootstrap. */
function staticSecrets<T extends object>(json: T): T {
  return JSON.parse(JSON.stringify(json), (_key, value: { name?: string; sdsConfig?: object } | null) =>
    value?.sdsConfig === undefined ? value : { name: value.name },
  ) as T;
}

/** EDS becomes a part of the cluster. */
function staticCluster(cluster: ClusterJson, { endpoints }: Snapshot): ClusterJson {
  if (cluster.type !== 'EDS') return cluster;
  const { edsClusterConfig, ...rest } = cluster;
  const assignment = endpoints.find((e) => e.clusterName === (edsClusterConfig?.serviceName || cluster.name));
  return { ...rest, type: 'STATIC', loadAssignment: { ...assignment, clusterName: cluster.name! } };
}

/** RDS becomes a part of the listener. */
function staticListener(listener: ListenerJson, { routes }: Snapshot): ListenerJson {
  return JSON.parse(JSON.stringify(listener), (_key, value: HttpConnectionManagerJson) => {
    const name = value?.rds?.routeConfigName;
    if (name === undefined) return value;
    const { rds, ...rest } = value;
    return { ...rest, routeConfig: routes.find((r) => r.name === name) };
  }) as ListenerJson;
}

function adminGet(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, headers: { host: 'localhost' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    call.on('error', reject).end();
  });
}
