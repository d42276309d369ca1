import { isHttp } from '../mesh/protocol.ts';
import type { Protocol } from '../mesh/types.ts';

/** Ports that have a place in HTTP route configurations. */
export function isHttpOrDetected(protocol: Protocol): boolean {
  return protocol === 'detected' || isHttp(protocol);
}

/** What a client of mesh TLS offers (ALPN), whatever it speaks inside. */
export const MESH_TLS_PROTOCOLS: readonly string[] = ['istio', 'istio-peer-exchange', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];

/** What http_inspector finds in plain text that a detecting listener sends to its HTTP chain. */
export const PLAIN_HTTP_PROTOCOLS: readonly string[] = ['http/1.1', 'h2c'];
