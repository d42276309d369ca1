import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { HTTPFaultJson } from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { HTTPFaultInjection } from '../../config/kinds/networking.ts';
import { typed } from '../any.ts';
import { envoyDuration } from '../duration.ts';
import { hundredths, millionths } from './percent.ts';

/** google.rpc.Code, by number. */
// biome-ignore format: a table
const grpcCodes = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
];

/** Key of the filter in `typed_per_filter_config`. */
export const FAULT_FILTER = 'envoy.filters.http.fault';

/** The gRPC status that a name (`UNAVAILABLE`) or a number means; 2 (UNKNOWN) for anything else. */
function grpcStatus(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const code = grpcCodes.indexOf(text);
  return code >= 0 ? code : 2;
}

/** The route's fault filter config; undefined when nothing of it can be carried out. */
export function faultConfig(fault: HTTPFaultInjection | undefined): AnyJson | undefined {
  const out: HTTPFaultJson = {};
  if (fault?.delay?.fixedDelay !== undefined) {
    const ms = parseDuration(fault.delay.fixedDelay);
    const { percentage, percent } = fault.delay;
    if (ms !== undefined) {
      out.delay = { fixedDelay: envoyDuration(ms), percentage: percentage ? millionths(percentage.value ?? 0) : hundredths(percent ?? 0) };
    }
  }
  const abort = fault?.abort;
  if (abort !== undefined && (abort.httpStatus !== undefined || abort.grpcStatus !== undefined)) {
    out.abort = {
      ...(abort.httpStatus !== undefined ? { httpStatus: abort.httpStatus } : { grpcStatus: grpcStatus(abort.grpcStatus!) }),
      // Istio leaves an unset percentage out, for Envoy's default.
      ...(abort.percentage && { percentage: millionths(abort.percentage.value ?? 0) }),
    };
  }
  if (!out.delay && !out.abort) return undefined;
  return typed('envoy.extensions.filters.http.fault.v3.HTTPFault', out);
}
