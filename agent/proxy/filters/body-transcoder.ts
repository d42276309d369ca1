import type { RawHeaders } from '../types.ts';

/**
 * What a filter makes of one call's bodies. It stands between the client and the rest of the chain: it gets a request's body before
 * the router, and the answer after all other filters. A piece that gives nothing yet is `undefined`.
 */
export interface BodyTranscoder {
  /** A piece of the request's body. It may answer by itself: then nothing more is asked of it for the request. */
  requestData(chunk: Buffer): Buffer | undefined;
  /** False: the body broke off, and the transcoder has answered. */
  requestEnd(): boolean;
  /** Changes the answer's headers in place. False: they are kept back until `responseEnd`, which completes them. */
  responseHeaders(status: number, headers: RawHeaders): boolean;
  responseData(chunk: Buffer): Buffer | undefined;
  /** The last piece of the answer. `trailers` end here: what becomes of them is in the piece. */
  responseEnd(trailers: RawHeaders | undefined): Buffer | undefined;
}
