/** Parts of Envoy's access log entries in the forms that request records have. */
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import type { Address } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { ResponseFlags } from '#envoy-api/envoy/data/accesslog/v3/accesslog_pb.js';

type BooleanFlag = {
  [K in keyof ResponseFlags]-?: ResponseFlags[K] extends boolean ? K : never;
}[keyof ResponseFlags];

/** Envoy's short names, in the order in which Envoy writes them (envoy.data.accesslog.v3.ResponseFlags). */
const FLAGS: readonly (readonly [BooleanFlag | 'unauthorizedDetails', string])[] = [
  ['failedLocalHealthcheck', 'LH'],
  ['noHealthyUpstream', 'UH'],
  ['upstreamRequestTimeout', 'UT'],
  ['localReset', 'LR'],
  ['upstreamRemoteReset', 'UR'],
  ['upstreamConnectionFailure', 'UF'],
  ['upstreamConnectionTermination', 'UC'],
  ['upstreamOverflow', 'UO'],
  ['noRouteFound', 'NR'],
  ['delayInjected', 'DI'],
  ['faultInjected', 'FI'],
  ['rateLimited', 'RL'],
  ['unauthorizedDetails', 'UAEX'],
  ['rateLimitServiceError', 'RLSE'],
  ['downstreamConnectionTermination', 'DC'],
  ['upstreamRetryLimitExceeded', 'URX'],
  ['streamIdleTimeout', 'SI'],
  ['invalidEnvoyRequestHeaders', 'IH'],
  ['downstreamProtocolError', 'DPE'],
  ['upstreamMaxStreamDurationReached', 'UMSDR'],
  ['responseFromCacheFilter', 'RFCF'],
  ['noFilterConfigFound', 'NFCF'],
  ['durationTimeout', 'DT'],
  ['upstreamProtocolError', 'UPE'],
  ['noClusterFound', 'NC'],
  ['overloadManager', 'OM'],
  ['dnsResolutionFailure', 'DF'],
  ['downstreamRemoteReset', 'DR'],
];

/** `UF,URX`, or `-` for none. */
export function flagsOf(flags: ResponseFlags | undefined): string {
  if (flags === undefined) return '-';
  let text = '';
  for (const [field, name] of FLAGS) if (flags[field]) text += text === '' ? name : `,${name}`;
  return text === '' ? '-' : text;
}

/** `10.0.0.1:80`, `[::1]:80`, a pipe's path; empty without one. */
export function addressOf(address: Address | undefined): string {
  const at = address?.address;
  if (at?.case === 'pipe') return at.value.path;
  if (at?.case === 'envoyInternalAddress') return at.value.endpointId;
  if (at?.case !== 'socketAddress') return '';
  const { address: ip, portSpecifier } = at.value;
  const port = portSpecifier.case === 'portValue' ? portSpecifier.value : 0;
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}

/** Milliseconds, with fractions; since 1970 for a time. */
export function millisecondsOf(time: Duration | Timestamp | undefined): number {
  return time === undefined ? 0 : Number(time.seconds) * 1000 + time.nanos / 1e6;
}
