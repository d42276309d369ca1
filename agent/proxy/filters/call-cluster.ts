import type { ClusterManager, RawHeaders, UpstreamHandler, UpstreamStream } from '../types.ts';

export interface ClusterCall {
  cluster: string;
  method: string;
  path: string;
  /** `host` first. */
  headers: RawHeaders;
  body: Buffer;
  /** Milliseconds; 0: none. */
  timeout: number;
  /** More of an answer's body is not taken; the call fails. Bytes. */
  largest?: number;
  http2?: boolean;
}

export interface ClusterAnswer {
  status: number;
  headers: RawHeaders;
  trailers: RawHeaders;
  body: Buffer;
}

const LARGEST = 4 * 1024 * 1024;

/**
 * Asks a cluster one question on behalf of the proxy itself. `done` gets the whole answer, undefined when there is none; it is called once, and
 * never after `cancel`.
 */
export function callCluster(
  clusters: ClusterManager,
  call: ClusterCall,
  done: (answer: ClusterAnswer | undefined) => void,
): { cancel(): void } {
  const cluster = clusters.get(call.cluster);
  const host = cluster?.chooseHost({});
  let over = false;
  let stream: UpstreamStream | undefined;
  let timer: NodeJS.Timeout | undefined;
  const finish = (answer: ClusterAnswer | undefined): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    done(answer);
  };
  if (cluster === undefined || host === undefined) {
    finish(undefined);
    return { cancel() {} };
  }
  const answer: ClusterAnswer = { status: 0, headers: [], trailers: [], body: Buffer.alloc(0) };
  const pieces: Buffer[] = [];
  let bytes = 0;
  const started = performance.now();
  const handler: UpstreamHandler = {
    onHeaders(status, headers) {
      answer.status = status;
      answer.headers = headers;
      cluster.recordResponse(host, status, performance.now() - started);
    },
    onData(chunk) {
      bytes += chunk.length;
      if (bytes > (call.largest ?? LARGEST)) {
        stream?.cancel('downstream');
        finish(undefined);
      } else if (!over) pieces.push(chunk);
      return true;
    },
    onTrailers(trailers) {
      answer.trailers = trailers;
    },
    onEnd() {
      answer.body = Buffer.concat(pieces);
      finish(answer);
    },
    onReset: () => finish(undefined),
  };
  const endStream = call.body.length === 0;
  const { method, path, headers, http2 } = call;
  stream = cluster.request(host, { method, path, headers, endStream, downstreamProtocol: http2 ? 'HTTP/2' : 'HTTP/1.1' }, handler);
  if (!over) {
    if (!endStream) {
      stream.write(call.body);
      stream.end();
    }
    if (call.timeout > 0)
      timer = setTimeout(() => {
        stream?.cancel('timeout');
        finish(undefined);
      }, call.timeout).unref();
  }
  return {
    cancel() {
      if (over) return;
      over = true;
      clearTimeout(timer);
      stream?.cancel('downstream');
    },
  };
}
