import { Agent, request } from 'node:http';
import { pairs } from '../backends/pairs.ts';
import { openSocket, seenTls } from './open-socket.ts';
import { type Answer, CLIENT_DEADLINE_MS, type Client, failed, NO_END } from './types.ts';

/** HTTP/1.1 over connections that are kept. */
export function http1Client(concurrent: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrent });
  return {
    close: () => agent.destroy(),
    send(sent) {
      const { port, source, method, authority, target, headers, body, tls } = sent;
      const started = performance.now();
      return new Promise<Answer>((resolve) => {
        const length =
          body === undefined || headers.some(([k]) => k === 'content-length') ? [] : ['content-length', String(Buffer.byteLength(body))];
        const own = headers.some(([k]) => k === 'host') ? [] : ['host', authority];
        const req = request(
          {
            host: '127.0.0.1',
            port,
            ...(source && { localAddress: source }),
            // Each request over TLS has its own connection: the handshake is what such steps are about.
            ...(tls ? { createConnection: () => openSocket(sent) } : { agent }),
            method,
            path: target,
            setHost: false,
            maxHeaderSize: 1 << 20,
            headers: [...own, ...headers.flat(), ...length],
          },
          (res) => {
            let text = '';
            const seen = seenTls(res.socket);
            res.setEncoding('latin1').on('data', (d: string) => {
              text += d;
            });
            const end = (error: string | undefined): void =>
              resolve({
                status: res.statusCode ?? 0,
                headers: pairs(res.rawHeaders),
                body: text,
                trailers: pairs(res.rawTrailers),
                messages: [],
                took: performance.now() - started,
                error,
                tls: seen,
              });
            res.on('end', () => end(undefined));
            res.on('error', (e) => end(e.message));
          },
        );
        req.setTimeout(CLIENT_DEADLINE_MS, () => req.destroy(new Error(NO_END)));
        req.on('error', (e) => resolve(failed(e.message, started)));
        req.end(body);
      });
    },
  };
}
