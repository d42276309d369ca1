/** Sends requests as the shop's front end does: to its explicit HTTP proxy, with the service's name as host. */
import { Agent, request } from 'node:http';

export interface Answer {
  /** 0: no answer. */
  status: number;
  /** Who answered, by the header that the shop's services set. */
  instance: string;
  /** Milliseconds. */
  took: number;
  location: string | undefined;
}

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Caller {
  /** `http://catalog/books` */
  call(url: string, options?: Call): Promise<Answer>;
  close(): void;
}

/** @param proxy `127.0.0.1:15001`, or undefined to connect to the URL's own address with the host given in `headers` */
export function createCaller(proxy: string | undefined): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return {
    call(url, { method = 'GET', headers = {}, body } = {}) {
      const target = new URL(url);
      const [host, port] = (proxy ?? target.host).split(':');
      const path = proxy ? url : target.pathname + target.search;
      const started = performance.now();
      return new Promise((resolve) => {
        const done = (status: number, instance = '', location?: string): void =>
          resolve({ status, instance, took: performance.now() - started, location });
        const req = request(
          { host, port: Number(port ?? 80), agent, method, path, headers: { host: target.host, ...headers }, timeout: 10_000 },
          (res) => {
            res.resume();
            res.on('end', () => done(res.statusCode ?? 0, String(res.headers['x-instance'] ?? ''), res.headers.location));
            res.on('error', () => done(0));
          },
        );
        req.on('timeout', () => req.destroy());
        req.on('error', () => done(0));
        req.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
