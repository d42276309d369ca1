import type { XdsCall } from './stream.ts';

/** gRPC's status codes. */
const INVALID_ARGUMENT = 3;
export const PERMISSION_DENIED = 7;
export const UNAVAILABLE = 14;
export const UNAUTHENTICATED = 16;

/** Ends a call whose client does not keep to the protocol. */
export function refuseCall(call: XdsCall, reason: string, code: number = INVALID_ARGUMENT): void {
  call.emit('error', Object.assign(new Error(reason), { code, details: reason }));
}
