/** A server on a socket of its own, and snapshots of a few resources by name. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { silentLog } from '../../../agent/log.ts';
import { startXdsServer, type XdsServer, type XdsServerOptions } from '../../../agent/xds/server.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import type { ProxyNode } from '../../../src/mesh/types.ts';

export interface XdsFixture {
  server: XdsServer;
  socket: string;
  target: string;
}

/** Runs with a server, which ends afterwards. */
export function withXds(run: (fixture: XdsFixture) => Promise<void>, options: Partial<XdsServerOptions> = {}): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
    const socket = join(folder, 'xds.sock');
    const server = await startXdsServer({ socket, log: silentLog, ...options });
    try {
      await run({ server, socket, target: `unix:${socket}` });
    } finally {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

export interface Content {
  /** Name to a setting that makes versions differ. */
  clusters?: Record<string, number>;
  endpoints?: Record<string, number>;
  listeners?: Record<string, number>;
  routes?: Record<string, number>;
}

let versions = 0;

/** Small resources; the number after a name makes a version. */
export function snapshotOf({ clusters = {}, endpoints = {}, listeners = {}, routes = {} }: Content, id = 'node'): Snapshot {
  return {
    version: `v${++versions}`,
    proxy: { id, name: id, namespace: 'default' } as ProxyNode,
    clusters: Object.entries(clusters).map(
      ([name, seconds]): ClusterJson => ({
        name,
        type: 'EDS',
        connectTimeout: `${seconds}s`,
        edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: 'V3' } },
      }),
    ),
    endpoints: Object.entries(endpoints).map(([clusterName, port]) => ({
      clusterName,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: port } } } }] }],
    })),
    listeners: Object.entries(listeners).map(([name, port]) => ({
      name,
      address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    })),
    routes: Object.entries(routes).map(([name, code]) => ({
      name,
      virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, directResponse: { status: code } }] }],
    })),
    problems: [],
  };
}

/** Waits until it holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !holds(); ) {
    if (Date.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
