/** What every HTTP server of the agent's own allows its clients: somebody who is slow, or says nothing, is let go. Milliseconds and bytes. */
export const SERVER_LIMITS = {
  /** For a request's headers and body. */
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  /** How often the two above are looked at. */
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16_384,
} as const;
