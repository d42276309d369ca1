/** Which connections a host has: they are kept apart by transport, and by the server name that their TLS asks for. */
import type { UpstreamHost } from './host.ts';
import { HostPools } from './pool/host-pools.ts';
import type { PoolOwner, TlsNames } from './pool/pool-owner.ts';
import type { Transport, Transports } from './transports.ts';

/** Server names that a host's connections are kept apart by, at most; the oldest goes first. */
const MAX_NAMED_POOLS = 256;

/** How to connect to the host now. When its metadata choose another transport than before, the old connections end with their requests. */
export function transportOf(host: UpstreamHost, transports: Transports, leaving: Set<HostPools>): Transport {
  if (host.transport !== undefined && host.transportMetadata === host.metadata) return host.transport;
  const transport = transports.of(host.metadata);
  host.transportMetadata = host.metadata;
  if (transport !== host.transport && host.transport !== undefined) {
    for (const pools of poolsOf(host)) {
      pools.drain();
      leaving.add(pools);
    }
    host.pools = host.namedPools = undefined;
  }
  host.transport = transport;
  return transport;
}

/** The connections of a host whose TLS asks for these names. */
export function namedPools(owner: PoolOwner, host: UpstreamHost, names: TlsNames): HostPools {
  host.namedPools ??= new Map();
  const key = `${names.sni ?? ''} ${names.names?.join() ?? ''}`;
  let pools = host.namedPools.get(key);
  if (pools !== undefined) return pools;
  if (host.namedPools.size >= MAX_NAMED_POOLS) {
    const [oldest, old] = host.namedPools.entries().next().value!;
    host.namedPools.delete(oldest);
    old.drain();
  }
  pools = new HostPools(owner, host, names);
  host.namedPools.set(key, pools);
  return pools;
}

export function* poolsOf(host: UpstreamHost): Generator<HostPools> {
  if (host.pools !== undefined) yield host.pools;
  if (host.namedPools !== undefined) yield* host.namedPools.values();
}
