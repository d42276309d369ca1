import type { XdsCall } from './stream.ts';

/** gRPC's INVALID_ARGUMENT. */
const INVALID_ARGUMENT = 3;

/** Ends a call whose client does not keep to the protocol. */
export function refuseCall(call: XdsCall, reason: string): void {
  call.emit('error', Object.assign(new Error(reason), { code: INVALID_ARGUMENT, details: reason }));
}
