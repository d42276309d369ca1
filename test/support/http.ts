/** Requests as a client makes them, whole answers back. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Milliseconds. */
  took: number;
}

export interface Client {
  get(url: string, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, url: string, headers?: Record<string, string>, body?: string): Promise<Answer>;
  close(): void;
}

/** @param proxy `127.0.0.1:15001`: requests go there in absolute form, as with HTTP_PROXY */
export function createClient(proxy?: string, maxSockets = 16): Client {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const send: Client['send'] = (method, url, headers = {}, body) => {
    const target = new URL(url);
    const [host, port] = (proxy ?? target.host).split(':');
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const req = request(
        {
          host,
          port: Number(port ?? 80),
          agent,
          method,
          path: proxy ? url : target.pathname + target.search,
          headers: { host: target.host, ...headers },
        },
        (res) => {
          const chunks: Buffer[] = [];
          res.on('data', (c: Buffer) => chunks.push(c));
          res.on('error', reject);
          res.on('end', () =>
            resolve({
              status: res.statusCode ?? 0,
              headers: res.headers,
              body: Buffer.concat(chunks).toString('utf8'),
              took: performance.now() - started,
            }),
          );
        },
      );
      req.on('error', reject);
      req.end(body);
    });
  };
  return { send, get: (url, headers) => send('GET', url, headers), close: () => agent.destroy() };
}

/** Waits until `condition` holds. Throws with `what` after `deadlineMs`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((r) => setTimeout(r, 10));
  }
  throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
}
