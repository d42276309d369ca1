/** A number of protobuf JSON, where 64-bit ones are strings; `fallback` when it is not set. */
export function jsonNumber(value: number | string | null | undefined, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  const n = Number(value);
  return Number.isFinite(n) ? n : fallback;
}
