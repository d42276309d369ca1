import type { CidrRangeJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import { inRange, parseIp } from '../routing/ip-range.ts';
import type { ProblemList } from '../routing/problems.ts';
import { type InputTest, never } from './input-test.ts';
import type { AuthorizationInput } from './types.ts';

/** Whether an address of the input lies in a range; an address of the other family, or a pipe, lies in none. Envoy: CidrRange. */
export function compileIpTest(
  json: CidrRangeJson,
  addressOf: (input: AuthorizationInput) => string,
  path: string,
  problems: ProblemList,
): InputTest {
  const prefix = parseIp(json.addressPrefix ?? '');
  const length = Number(json.prefixLen ?? 0);
  if (prefix === undefined) {
    problems.invalid(`${path}.addressPrefix`, `${JSON.stringify(json.addressPrefix ?? '')} is no IP address`);
    return never;
  }
  if (!Number.isInteger(length) || length < 0 || length > 128) {
    problems.invalid(`${path}.prefixLen`, `${String(json.prefixLen)} is not from 0 to 128`);
    return never;
  }
  // Envoy: no prefix is longer than its address.
  const bits = Math.min(length, prefix.length * 8);
  return (input) => {
    const address = parseIp(addressOf(input));
    return address !== undefined && inRange(address, prefix, bits);
  };
}
