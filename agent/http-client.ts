/** A small HTTP client for the agent's and the proxy's own APIs, over TCP or a Unix socket. node:http, because importing it costs a command line nothing. */

import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { pipeline, Readable } from 'node:stream';

export interface HttpAnswer {
  status: number;
  contentType: string;
  body: Buffer;
}

export interface HttpTarget {
  /** `unix:/path` or `http://host:port`. */
  readonly address: string;
  readonly options: RequestOptions;
}

/** Reads `unix:PATH` or an http URL. Returns undefined for anything else. */
export function httpTarget(address: string): HttpTarget | undefined {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 8 });
  if (address.startsWith('unix:')) return { address, options: { socketPath: address.slice('unix:'.length), agent } };
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  if (url?.protocol !== 'http:') return undefined;
  return { address: url.origin, options: { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || 80, agent } };
}

/** A body that is too large to be made at once: its JSON in pieces. Asked for again when the request is sent again. */
export type BodyInPieces = () => Iterable<string>;

/**
 * One request, answered whole. Rejects with the socket's own error, or after `timeoutMs` without any byte. All that our APIs offer may
 * be said twice, so a kept connection that the server was just closing is no error.
 *
 * @param body sent as JSON; or a function that gives its JSON in pieces
 */
export function exchange(target: HttpTarget, method: string, path: string, body?: unknown, timeoutMs = 10_000): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const stale = req.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      if (stale) resolve(exchange(target, method, path, body, timeoutMs));
      else reject(error);
    };
    const req = open(target, method, path, body, failed);
    req.setTimeout(timeoutMs, () => req.destroy(Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' })));
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (c: Buffer) => chunks.push(c));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, contentType: res.headers['content-type'] ?? '', body: Buffer.concat(chunks) }),
      );
    });
  });
}

/**
 * Reads newline-delimited JSON until the stream ends. `ended` is called once, with the error when there was one.
 * Returns the function that ends it.
 */
export function streamLines(
  target: HttpTarget,
  path: string,
  on: { open?(): void; line(value: unknown): void; ended(error?: Error): void },
): () => void {
  let finished = false;
  const finish = (error?: Error): void => {
    if (finished) return;
    finished = true;
    on.ended(error);
  };
  const req = open(target, 'GET', path, undefined, finish, false);
  req.on('response', (res: IncomingMessage) => {
    if (res.statusCode !== 200) {
      req.destroy(new Error(`it answered ${res.statusCode}`));
      return;
    }
    on.open?.();
    let rest = '';
    res.setEncoding('utf8');
    res.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '' || finished) continue;
        try {
          on.line(JSON.parse(line));
        } catch (error) {
          req.destroy(error as Error);
        }
      }
    });
    res.on('error', finish);
    res.on('close', () => finish());
  });
  return () => {
    finished = true;
    req.destroy();
  };
}

function open(target: HttpTarget, method: string, path: string, body: unknown, fail: (e: Error) => void, pooled = true): ClientRequest {
  const inPieces = typeof body === 'function' ? (body as BodyInPieces) : undefined;
  const payload = body === undefined || inPieces ? undefined : Buffer.from(JSON.stringify(body));
  const type = { 'content-type': 'application/json' };
  const req = httpRequest({
    ...target.options,
    ...(pooled ? {} : { agent: false }),
    method,
    path,
    headers: inPieces ? type : payload ? { ...type, 'content-length': payload.length } : {},
  });
  req.on('error', fail);
  // What fails is told by the request.
  if (inPieces) pipeline(Readable.from(inPieces()), req, () => undefined);
  else req.end(payload);
  return req;
}
