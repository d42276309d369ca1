/** What the proxy says of its own process, as Envoy's /server_info and /memory. */
import type { HostedProxy } from '../host.ts';

/** envoy.admin.v3.ServerInfo */
export function serverInfo(proxy: HostedProxy, { version, startedAt }: { version: string; startedAt: number }): unknown {
  const uptime = `${Math.round((Date.now() - startedAt) / 1000)}s`;
  return {
    version: `fairlead/${version}/Clean/RELEASE/node-${process.versions.node}`,
    state: proxy.failing ? 'DRAINING' : 'LIVE',
    hotRestartVersion: 'disabled',
    commandLineOptions: { baseId: '0', concurrency: 1, mode: 'Serve', serviceNode: proxy.id },
    node: { id: proxy.id },
    uptimeCurrentEpoch: uptime,
    uptimeAllEpochs: uptime,
  };
}

/** envoy.admin.v3.Memory; numbers are bytes, as strings (protobuf's uint64). */
export function memory(): unknown {
  const { heapUsed, heapTotal, rss, external } = process.memoryUsage();
  return {
    allocated: String(heapUsed + external),
    heapSize: String(heapTotal + external),
    pageheapUnmapped: '0',
    pageheapFree: String(heapTotal - heapUsed),
    totalThreadCache: '0',
    totalPhysicalBytes: String(rss),
  };
}
