import type { BuildContext } from '../context.ts';

/** What a port accepts: mesh TLS and plain text, mesh TLS alone, plain text alone. */
export type TlsMode = 'PERMISSIVE' | 'STRICT' | 'DISABLE';

/**
 * The mode of one of the workload's ports, `undefined` for ports that no service has.
 *
 * Workloads have no certificates yet, so PeerAuthentication is not acted on (STRICT is reported as an error): every port accepts
 * what PERMISSIVE accepts.
 */
export function inboundTlsMode(_context: BuildContext, _targetPort: number | undefined): TlsMode {
  return 'PERMISSIVE';
}
