/** Conditions of retry_on and x-envoy-retry-on, and the gRPC ones; names are Envoy's. Bits, so that a set is one number. */
export const RETRY_ON = {
  '5xx': 1,
  'gateway-error': 2,
  reset: 4,
  'reset-before-request': 8,
  'connect-failure': 16,
  'envoy-ratelimited': 32,
  'retriable-4xx': 64,
  'refused-stream': 128,
  'retriable-status-codes': 256,
  'retriable-headers': 512,
  'http3-post-connect-failure': 1024,
} as const;

export const RETRY_GRPC_ON = {
  cancelled: 2048,
  'deadline-exceeded': 4096,
  internal: 8192,
  'resource-exhausted': 16384,
  unavailable: 32768,
} as const;

/** The bit of a gRPC status, by its number. */
export const GRPC_STATUS_BIT: ReadonlyMap<number, number> = new Map([
  [1, RETRY_GRPC_ON.cancelled],
  [4, RETRY_GRPC_ON['deadline-exceeded']],
  [8, RETRY_GRPC_ON['resource-exhausted']],
  [13, RETRY_GRPC_ON.internal],
  [14, RETRY_GRPC_ON.unavailable],
]);

/** Reads a comma-separated list. Unknown words count for nothing, as in Envoy; they are listed for reports. */
export function parseRetryOn(text: string, known: Readonly<Record<string, number>>): { bits: number; unknown: string[] } {
  let bits = 0;
  const unknown: string[] = [];
  for (const part of text.split(',')) {
    const word = part.trim();
    if (word === '') continue;
    if (Object.hasOwn(known, word)) bits |= known[word]!;
    else unknown.push(word);
  }
  return { bits, unknown };
}
