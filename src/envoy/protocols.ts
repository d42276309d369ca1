import { isHttp } from '../mesh/protocol.ts';
import type { Protocol } from '../mesh/types.ts';

/** Ports that have a place in HTTP route configurations. */
export function isHttpOrDetected(protocol: Protocol): boolean {
  return protocol === 'detected' || isHttp(protocol);
}

/** What http_inspector finds in plain text that a detecting listener sends to its HTTP chain. */
export const PLAIN_HTTP_PROTOCOLS: readonly string[] = ['http/1.1', 'h2c'];
