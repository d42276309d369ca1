import type { TLSSocket } from 'node:tls';
import type { Counter } from '../types.ts';
import type { PeerRefusal } from './peer-check.ts';

type Verdict = 'connection_error' | 'handshake' | 'session_reused' | 'no_certificate' | 'fail_verify_no_cert' | PeerRefusal['stat'];

/** Envoy's `ssl.*` of a listener or cluster. */
export interface TlsStats {
  count(name: Verdict): void;
  /** A handshake is done: it counts by version and cipher too. */
  handshake(socket: TLSSocket): void;
}

const NAMES: readonly Verdict[] = [
  'connection_error',
  'handshake',
  'session_reused',
  'no_certificate',
  'fail_verify_no_cert',
  'fail_verify_error',
  'fail_verify_san',
  'fail_verify_cert_hash',
];

/** @param counter gives the counter `ssl.<name>` of a listener or cluster */
export function createTlsStats(counter: (name: string) => Counter): TlsStats {
  const counters = Object.fromEntries(NAMES.map((name) => [name, counter(`ssl.${name}`)])) as Record<Verdict, Counter>;
  return {
    count: (name) => counters[name].inc(),
    handshake(socket) {
      counters.handshake.inc();
      if (socket.isSessionReused()) counters.session_reused.inc();
      counter(`ssl.versions.${socket.getProtocol()}`).inc();
      counter(`ssl.ciphers.${socket.getCipher().name}`).inc();
    },
  };
}
