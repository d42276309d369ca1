/** A server that speaks HTTP/1.1 and HTTP/2 with prior knowledge on one port, and tells apart what reached it. */
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcp } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import type { Reply } from '../case.ts';
import { answerCheck, decideHttp } from './ext-authz.ts';
import { answerGrpc } from './grpc.ts';
import { pairs } from './pairs.ts';
import { tlsOf } from './tls.ts';
import type { Arrival, Backend } from './types.ts';

/** Either kind of answer. */
interface Exchange {
  arrival: Arrival;
  answer(status: number, headers: [string, string][], body: string, trailers: Record<string, string> | undefined): void;
  headThenReset(chunked: boolean): void;
  reset(): void;
  refuse(): void;
}

export interface HttpBackendOptions {
  /** Over TLS. */
  tls?: TlsOptions;
  /** It is an authorizer: checks are decided, see ext-authz.ts. */
  authorizes?: boolean;
}

/** Answers 200 with `x-instance: NAME`, unless `reply` says otherwise. */
export async function startHttpBackend(
  name: string,
  first: Reply,
  address: string,
  { tls, authorizes = false }: HttpBackendOptions = {},
): Promise<Backend> {
  const arrivals: Arrival[] = [];
  const held: (() => void)[] = [];
  const sockets = new Set<Socket>();

  function respond({ arrival, answer, headThenReset, reset, refuse }: Exchange): void {
    const reply = authorizes ? decideHttp(arrival, backend.reply) : backend.reply;
    arrivals.push(arrival);
    if (reply.failures !== undefined && arrivals.length > reply.failures) {
      answer(200, [['x-instance', name]], `${name} at last`, undefined);
      return;
    }
    const own = Object.entries(reply.headers ?? {}).flatMap(([k, v]) => [v].flat().map((value): [string, string] => [k, value]));
    const go = (): void => {
      if (reply.refuseStream) refuse();
      else if (reply.reset === 'before-headers') reset();
      else if (reply.reset) headThenReset(reply.reset === 'in-chunks');
      else {
        const body = reply.body?.repeat(reply.repeat ?? 1) ?? `${name} ${arrival.method} ${arrival.path}`;
        answer(reply.status ?? 200, [['x-instance', name], ...own], body, reply.trailers);
      }
    };
    if (reply.hold) held.push(go);
    else if (reply.delay) setTimeout(go, reply.delay);
    else go();
  }

  const http1 = createHttp1({ keepAliveTimeout: 0, maxHeaderSize: 1 << 20, insecureHTTPParser: false }, (request, response) =>
    serveHttp1(name, request, response, respond),
  );
  http1.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    const body = '';
    const { method = '', url: path = '', headers, rawHeaders } = request;
    arrivals.push({ backend: name, protocol: 'http/1.1', method, path, authority: headers.host ?? '', headers: pairs(rawHeaders), body });
    const status = backend.reply.status;
    if (status) return void socket.end(`HTTP/1.1 ${status} No\r\nx-instance: ${name}\r\ncontent-length: 0\r\n\r\n`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nx-instance: ${name}\r\nconnection: upgrade\r\nupgrade: ${headers.upgrade}\r\n\r\n`);
    socket.on('error', () => undefined);
    socket.on('data', (d) => socket.write(`${name}:${d}`));
    socket.on('end', () => socket.end());
  });
  const http2 = createHttp2({ settings: { enableConnectProtocol: true }, strictSingleValueFields: false });
  http2.on('stream', (stream, headers, _flags, raw: string[]) => {
    stream.on('error', () => undefined);
    const { ':method': method = '', ':path': path = '', ':authority': authority = '' } = headers;
    const list = pairs(raw).filter(([k]) => !k.startsWith(':'));
    const arrival: Arrival = {
      backend: name,
      protocol: 'h2',
      method,
      path,
      authority,
      headers: list,
      body: '',
      ...tlsOf(stream.session?.socket),
    };
    if (authorizes && headers['content-type']?.startsWith('application/grpc')) answerCheck(stream, name, backend.reply, arrivals);
    else if (headers['content-type']?.startsWith('application/grpc')) answerGrpc(stream, arrival, backend, arrivals, held);
    else serveHttp2(stream, arrival, respond);
  });
  const serve = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.once('data', (start: Buffer) => {
      socket.pause();
      socket.unshift(start);
      const to = start.toString('latin1', 0, 3) === 'PRI' ? http2 : http1;
      to.emit('connection', socket);
      // HTTP/2 takes what was read already by itself.
      if (to === http1) socket.resume();
    });
  };
  const server = tls ? createTls({ ALPNProtocols: ['h2', 'http/1.1'], ...tls }, serve) : createTcp(serve);
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  const backend: Backend = {
    name,
    port: (server.address() as AddressInfo).port,
    reply: first,
    arrivals,
    release: () => {
      for (const go of held.splice(0)) go();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
        http1.closeAllConnections();
      }),
  };
  return backend;
}

function serveHttp1(name: string, request: IncomingMessage, response: ServerResponse, respond: (exchange: Exchange) => void): void {
  let body = '';
  request.setEncoding('latin1').on('data', (d: string) => {
    body += d;
  });
  request.on('end', () => {
    const { method = '', url: path = '', headers, rawHeaders } = request;
    const { host: authority = '' } = headers;
    respond({
      arrival: { backend: name, protocol: 'http/1.1', method, path, authority, headers: pairs(rawHeaders), body, ...tlsOf(request.socket) },
      answer(status, list, text, trailers) {
        const length: [string, string][] = trailers
          ? [['trailer', Object.keys(trailers).join(',')]]
          : [['content-length', String(Buffer.byteLength(text))]];
        response.writeHead(status, [...list, ...length].flat());
        if (trailers) response.addTrailers(trailers);
        response.end(text);
      },
      headThenReset(chunked) {
        response.writeHead(200, ['x-instance', name, ...(chunked ? [] : ['content-length', '1000'])]);
        response.write('so far');
        setTimeout(() => request.socket.resetAndDestroy(), 20);
      },
      reset: () => void request.socket.resetAndDestroy(),
      refuse: () => void request.socket.resetAndDestroy(),
    });
  });
}

function serveHttp2(stream: ServerHttp2Stream, arrival: Arrival, respond: (exchange: Exchange) => void): void {
  stream.setEncoding('latin1').on('data', (d: string) => {
    arrival.body += d;
  });
  stream.on('end', () =>
    respond({
      arrival,
      answer(status, list, text, trailers) {
        const headers: Record<string, string | string[] | number> = { ':status': status };
        for (const [k, v] of list) headers[k] = headers[k] === undefined ? v : [headers[k], v].flat().map(String);
        stream.respond(headers, { waitForTrailers: trailers !== undefined });
        if (trailers) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        stream.end(text);
      },
      headThenReset() {
        stream.respond({ ':status': 200, 'x-instance': arrival.backend });
        stream.write('so far');
        // Not close(): that ends the stream properly first.
        setTimeout(() => stream.destroy(new Error('reset')), 20);
      },
      // RFC 9113 7: INTERNAL_ERROR and REFUSED_STREAM.
      reset: () => stream.close(2),
      refuse: () => stream.close(7),
    }),
  );
}
