import type { ResetReason } from '../types.ts';
import type { FlagName } from './response-flags.ts';

/** Envoy: Http::Utility::resetReasonToString. */
const REASONS: Readonly<Record<ResetReason['kind'], string>> = {
  'connect-failure': 'remote connection failure',
  'connect-timeout': 'connection timeout',
  overflow: 'overflow',
  'connection-termination': 'connection termination',
  'remote-reset': 'remote reset',
  'remote-refused': 'remote refused stream reset',
  'protocol-error': 'protocol error',
  'local-reset': 'local reset',
};

/** What a client gets when an upstream stream broke before its answer. */
export interface UpstreamFailure {
  status: number;
  body: string;
  details: string;
  flag: FlagName;
  /** Envoy's `upstream_transport_failure_reason`; empty without one. */
  transport: string;
}

/** Envoy: Router::Filter::onUpstreamReset. */
export function describeFailure(reason: ResetReason, retried: boolean): UpstreamFailure {
  const text = REASONS[reason.kind];
  const transport = reason.kind === 'connect-failure' || reason.kind === 'connect-timeout' ? reason.detail.replaceAll('_', ' ') : '';
  const underscored = text.replaceAll(' ', '_') + (transport === '' ? '' : `|${transport.replaceAll(' ', '_')}`);
  return {
    status: reason.kind === 'protocol-error' ? 502 : 503,
    // Envoy 1.40 keeps the transport's reason out of the body; it is in the details.
    body: `upstream connect error or disconnect/reset before headers. ${retried ? 'retried and the latest ' : ''}reset reason: ${text}`,
    details: `upstream_reset_before_response_started{${underscored}}`,
    flag: reason.flag,
    transport,
  };
}

/** The same once the answer had begun. */
export function detailsAfterStart(reason: ResetReason): string {
  return `upstream_reset_after_response_started{${REASONS[reason.kind].replaceAll(' ', '_')}}`;
}
