import type { ResetReason } from '../types.ts';

/** The system's words for an error, as C's strerror gives them and Envoy prints them. */
const ERRNO_TEXT: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EMFILE: 'Too many open files',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  ENOTSOCK: 'Socket operation on non-socket',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  ETIMEDOUT: 'Connection timed out',
};

export const OVERFLOW: ResetReason = { kind: 'overflow', flag: 'UO', detail: '' };
export const CONNECT_TIMEOUT: ResetReason = { kind: 'connect-timeout', flag: 'UF', detail: '' };
export const TERMINATED: ResetReason = { kind: 'connection-termination', flag: 'UC', detail: '' };
export const REMOTE_RESET: ResetReason = { kind: 'remote-reset', flag: 'UR', detail: '' };
export const REMOTE_REFUSED: ResetReason = { kind: 'remote-refused', flag: 'UR', detail: '' };
export const PROTOCOL_ERROR: ResetReason = { kind: 'protocol-error', flag: 'UPE', detail: '' };

/** The connection was made, TLS was not: `detail` says why in Envoy's words; empty when the peer just left. */
export function tlsFailure(detail: string): ResetReason {
  return { kind: 'connect-failure', flag: 'UF', detail: detail.replaceAll(' ', '_') };
}

/** The connection could not be made. */
export function connectFailure(error: Error & { code?: string }): ResetReason {
  const { code = '' } = error;
  // Envoy: the forward proxy's lookup failed.
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return { kind: 'connect-failure', flag: 'DF', detail: 'dns_resolution_failure' };
  const text = ERRNO_TEXT[code] ?? (code || error.message);
  return { kind: 'connect-failure', flag: 'UF', detail: `delayed_connect_error:_${text.replaceAll(' ', '_')}` };
}
