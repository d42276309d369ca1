/** The shop's services: real HTTP servers on the addresses that the shop's workloads name. They count what reaches them. */
import { createServer, type Server } from 'node:http';
import { inboundClusterName } from '../../src/envoy/names.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { FairleadError } from '../../src/errors.ts';
import type { Workload } from '../../src/mesh/types.ts';
import type { ProxySync } from '../controller.ts';

export interface Instance {
  /** The workload's name: `catalog-v2`. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Requests that arrived, by method and path. */
  requests: number;
  /** Requests answered with an error because `failing` was set. */
  failures: number;
  /** Answers every request with this status while set. */
  failing: number | undefined;
}

export interface Shop {
  instance(name: string): Instance;
  instances: readonly Instance[];
  close(): Promise<void>;
}

/**
 * Starts one server for each workload that names a port; behind its proxy where that has the port.
 * Throws E_PORT_IN_USE when one is taken.
 */
export async function openShop(workloads: readonly Workload[], proxies: readonly Pick<ProxySync, 'node' | 'snapshot'>[]): Promise<Shop> {
  const servers: Server[] = [];
  const instances: Instance[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(
      servers.map(
        (s) =>
          new Promise<void>((resolve) => {
            s.close(() => resolve());
            s.closeAllConnections();
          }),
      ),
    );
  };
  try {
    for (const workload of workloads) {
      const named = Object.values(workload.ports)[0];
      const address = workload.addresses[0];
      if (named === undefined || address === undefined) continue;
      const own = proxies.find(({ node }) => node.name === workload.name && node.namespace === workload.namespace);
      const at = own?.snapshot && behindProxy(own.snapshot, named);
      const instance: Instance = { name: workload.name, address, port: named, ...at, requests: 0, failures: 0, failing: undefined };
      servers.push(await serve(instance));
      instances.push(instance);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const byName = new Map(instances.map((i) => [i.name, i]));
  return {
    instances,
    instance(name) {
      const found = byName.get(name);
      if (!found)
        throw new FairleadError('E_DEMO_FAILED', `the shop's mesh has no workload ${name}`, {
          next: 'The demo needs examples/shop/mesh as it was shipped.',
        });
      return found;
    },
    close,
  };
}

/** Where a proxy passes on what comes to a port of its workload; undefined where it takes nothing there. */
function behindProxy({ clusters }: Snapshot, port: number): { address: string; port: number } | undefined {
  const inbound = clusters.find(({ name }) => name === inboundClusterName(port));
  const to = inbound?.loadAssignment?.endpoints?.[0]?.lbEndpoints?.[0]?.endpoint?.address?.socketAddress;
  return to?.address === undefined ? undefined : { address: to.address, port: Number(to.portValue) };
}

function serve(instance: Instance): Promise<Server> {
  const server = createServer((request, response) => {
    instance.requests++;
    request.resume();
    request.on('end', () => {
      const status = instance.failing ?? 200;
      if (instance.failing !== undefined) instance.failures++;
      const body = `${JSON.stringify({ service: instance.name, path: request.url })}\n`;
      response
        .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-instance': instance.name })
        .end(body);
    });
  });
  // Longer than any proxy keeps a connection, so that the server is never the one who closes.
  server.keepAliveTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const at = `${instance.address}:${instance.port}`;
      const why = error.code === 'EADDRINUSE' ? `${at} is in use` : `${at}: ${error.message}`;
      reject(
        new FairleadError('E_PORT_IN_USE', `the demo's service ${instance.name} cannot start: ${why}`, {
          next: 'End what listens there (another demo?), then run it again.',
          cause: error,
        }),
      );
    });
    server.listen(instance.port, instance.address, () => resolve(server));
  });
}
