import type { Duplex } from 'node:stream';
import type { RawHeaders, ResetReason } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundRequest } from './prepare-request.ts';

/** Joins client and upstream after a switch of protocols: bytes both ways, each side as fast as the other takes them. */
export function joinTunnel(exchange: Exchange, status: number, headers: RawHeaders, upstream: Duplex): void {
  const { stats } = exchange.manager;
  exchange.status = status;
  exchange.responseStarted = true;
  exchange.responseHeaders = headers;
  const client = exchange.stream.tunnel(status, headers);
  stats.cxUpgradesTotal.inc();
  stats.cxUpgradesActive.inc();
  let received = 0;
  let sent = 0;
  let open = 2;
  const ended = (): void => {
    if (--open > 0) return;
    stats.cxUpgradesActive.dec();
    exchange.tunnelEnded(received, sent);
  };
  client.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  upstream.on('data', (chunk: Buffer) => {
    sent += chunk.length;
  });
  client.pipe(upstream);
  upstream.pipe(client);
  // A side that breaks takes the other with it; one that ends is piped on as an end.
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.once('close', () => {
      if (!other.destroyed && !other.writableEnded) other.end();
      ended();
    });
  }
}

/** CONNECT that ends here (connect_config): a TCP connection to the cluster. `failed` without a reason: no healthy host. */
export function connectTunnel(exchange: Exchange, out: OutboundRequest, failed: (reason: ResetReason | undefined) => void): void {
  const host = out.cluster.chooseHost(out.balance);
  if (host === undefined) {
    failed(undefined);
    return;
  }
  exchange.attempts++;
  exchange.upstreamHost = host;
  out.cluster.connect(host, {
    connected(socket) {
      if (exchange.done) {
        socket.destroy();
        return;
      }
      exchange.upstreamLocalAddress = socket.localAddress ?? '';
      exchange.details = 'via_upstream';
      joinTunnel(exchange, 200, [], socket);
    },
    failed(reason) {
      if (!exchange.done) failed(reason);
    },
  });
}
