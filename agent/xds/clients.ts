/** Connected clients as people and status pages see them. */
import type { Protocol, XdsStream } from './stream.ts';

export interface XdsClientType {
  typeUrl: string;
  /** How many names, or all. */
  subscribed: number | '*';
  sent: { version: string; nonce: string; at: number } | undefined;
  acked: { version: string; at: number } | undefined;
  /** The last refusal; it stays until everything that was refused has changed. */
  nack: { version: string; reason: string; resources: readonly string[]; at: number } | undefined;
}

export interface XdsClient {
  /** Of the stream; unique in the process. */
  id: number;
  node: string;
  protocol: Protocol;
  /** A gRPC client without a proxy. */
  proxyless: boolean;
  peer: string;
  /** Milliseconds since 1970, as are all times here. */
  connectedAt: number;
  types: readonly XdsClientType[];
}

export function clientOf(stream: XdsStream): XdsClient {
  const { id, proxy, proxyless, protocol, peer, connectedAt, subscriptions } = stream;
  return {
    id,
    node: proxy.id,
    protocol,
    proxyless,
    peer,
    connectedAt,
    types: [...subscriptions.values()].map((sub) => ({
      typeUrl: sub.url,
      subscribed: sub.wildcard ? '*' : sub.names.size,
      sent: sub.sentAt && { ...sub.sentAt, nonce: sub.nonce },
      acked: sub.acked,
      nack: sub.nack,
    })),
  };
}
