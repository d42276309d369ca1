import { StatusCode } from './status-codes.ts';

/** The number of an `envoy.type.v3.StatusCode` in protobuf JSON, by name or number. */
export function statusNumber(code: string | number | undefined, otherwise: number): number {
  if (typeof code === 'number') return code || otherwise;
  return (code !== undefined && StatusCode[code]) || otherwise;
}
