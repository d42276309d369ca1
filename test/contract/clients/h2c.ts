import { type ClientHttp2Session, connect } from 'node:http2';
import { pairs } from '../backends/pairs.ts';
import { createFrameReader, frame } from '../grpc-frames.ts';
import { openSocket, seenTls } from './open-socket.ts';
import { type Answer, CLIENT_DEADLINE_MS, type Client, failed, NO_END, type SeenTls, type Sent } from './types.ts';

/** How a message goes out: all at once, or the next one when the one before came back. */
type Mode = 'plain' | 'grpc' | 'grpc-stream';

/** HTTP/2 with prior knowledge, or over TLS; plain or with gRPC's messages. */
export function h2cClient(mode: Mode): Client {
  const sessions = new Map<number, ClientHttp2Session>();

  function sessionTo(request: Sent): ClientHttp2Session {
    const { port } = request;
    const known = sessions.get(port);
    if (known && !known.closed && !known.destroyed) return known;
    const session = connect(`${request.tls ? 'https' : 'http'}://127.0.0.1:${port}`, {
      createConnection: () => openSocket(request, { alpn: ['h2'] }),
    });
    session.on('error', () => undefined);
    sessions.set(port, session);
    return session;
  }

  function send(request: Sent): Promise<Answer> {
    const { method, authority, path, headers, body } = request;
    const started = performance.now();
    const fields: Record<string, string | string[]> = {
      ':method': method,
      ':authority': authority,
      ':path': path,
      ':scheme': request.tls ? 'https' : 'http',
    };
    for (const [k, v] of headers) fields[k] = fields[k] === undefined ? v : [fields[k], v].flat();
    const grpc = mode !== 'plain';
    if (grpc) Object.assign(fields, { te: 'trailers', 'content-type': 'application/grpc', ...fields });
    const messages = [...request.send];
    return new Promise((resolve) => {
      const session = sessionTo(request);
      const stream = session.request(fields, { endStream: !grpc && body === undefined });
      const answer: Answer & { headers: [string, string][]; trailers: [string, string][]; messages: string[] } = {
        ...{ status: 0, headers: [], body: '', trailers: [], messages: [], took: 0, error: undefined },
      };
      const timer = setTimeout(() => stream.destroy(new Error(NO_END)), CLIENT_DEADLINE_MS);
      const next = (): void => {
        const message = messages.shift();
        if (message === undefined) stream.end();
        else stream.write(frame(message));
      };
      const read = createFrameReader((text) => {
        answer.messages.push(text);
        if (mode === 'grpc-stream') next();
      });
      let tls: SeenTls | undefined;
      stream.on('response', (h, _flags, raw?: string[]) => {
        tls = session.destroyed ? undefined : seenTls(session.socket);
        answer.status = h[':status'] ?? 0;
        answer.headers = pairs(raw ?? []).filter(([k]) => !k.startsWith(':'));
      });
      stream.on('trailers', (_h, _flags, raw?: string[]) => {
        answer.trailers = pairs(raw ?? []);
      });
      stream.on('data', (d: Buffer) => {
        answer.body += d.toString('latin1');
        if (grpc) read(d);
      });
      stream.on('error', (e) => {
        answer.error = e.message;
      });
      stream.on('close', () => {
        clearTimeout(timer);
        if (stream.rstCode !== 0 && stream.rstCode !== 8) answer.error ??= `reset ${stream.rstCode}`;
        answer.took = performance.now() - started;
        answer.tls = tls;
        resolve(answer.status === 0 ? failed(answer.error ?? 'closed', started) : answer);
      });
      if (!grpc) stream.end(body);
      else if (mode === 'grpc-stream') next();
      else {
        for (const message of messages) stream.write(frame(message));
        stream.end();
      }
    });
  }

  return {
    send,
    close: () => {
      for (const session of sessions.values()) session.destroy();
    },
  };
}
