import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpConnection } from './http-connection.ts';
import { Http1Connection } from './http1-connection.ts';
import { IncomingRequest } from './incoming-request.ts';

/** A socket that an HTTP/1 connection was opened on. */
interface Http1Socket extends Socket {
  downstream?: Http1Connection;
}

/** Room for framing that Envoy does not count among the headers. */
const SLACK_BYTES = 1024;

/** node:http servers by the size of headers that they take: it is the one limit that its parser has to know. */
const servers = new Map<number, Server>();

/** Serves HTTP/1 on an accepted socket. Nothing of node:http listens: its parser and writer are what is used. */
export function serveHttp1(connection: HttpConnection): void {
  const socket: Http1Socket = connection.socket;
  const codec = new Http1Connection(connection);
  socket.downstream = codec;
  connection.open(codec);
  serverFor(connection.manager.settings.maxHeaderBytes).emit('connection', socket);
  // Bytes that were looked at before are waiting in the socket.
  if (socket.isPaused()) socket.resume();
}

function serverFor(maxHeaderBytes: number): Server {
  let server = servers.get(maxHeaderBytes);
  if (server === undefined) {
    server = create(maxHeaderBytes);
    servers.set(maxHeaderBytes, server);
  }
  return server;
}

const connectionOf = (socket: Socket): Http1Connection => (socket as Http1Socket).downstream!;

function create(maxHeaderBytes: number): Server {
  const server = createServer({
    IncomingMessage: IncomingRequest,
    maxHeaderSize: maxHeaderBytes + SLACK_BYTES,
    // All timeouts are on the proxy's own wheel.
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
    // The proxy answers in Envoy's words.
    requireHostHeader: false,
    insecureHTTPParser: false,
    // Envoy's http1 codec lets an `Upgrade: h2c` pass as if it were not there.
    shouldUpgradeCallback: (request: IncomingRequest) => readUpgrade(request) !== 'h2c',
    ...{ optimizeEmptyRequests: true },
  } as Parameters<typeof createServer<typeof IncomingRequest>>[0]);
  server.maxHeadersCount = 0;
  server.timeout = 0;
  const onRequest = (request: IncomingRequest, response: ServerResponse): void => connectionOf(request.socket).onRequest(request, response);
  server.on('request', onRequest as never);
  server.on('checkContinue', onRequest as never);
  server.on('checkExpectation', onRequest as never);
  const onSwitch = (request: IncomingRequest, socket: Socket, head: Buffer): void => {
    if (head.length > 0) socket.unshift(head);
    connectionOf(socket).onRequest(request, undefined);
  };
  server.on('upgrade', onSwitch as never);
  server.on('connect', onSwitch as never);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const connection = (socket as Http1Socket).downstream;
    if (connection === undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable) socket.destroy();
    else if (error.code === 'HPE_HEADER_OVERFLOW')
      connection.onProtocolError(431, 'Request Header Fields Too Large', 'http1.headers_too_large');
    // Envoy: a transfer coding that it does not know.
    else if (error.code === 'HPE_INVALID_TRANSFER_ENCODING' && detailsOf(error) === 'http1.codec_error')
      connection.onProtocolError(501, 'Not Implemented', 'http1.invalid_transfer_encoding');
    else connection.onProtocolError(400, 'Bad Request', detailsOf(error));
  });
  return server;
}

function readUpgrade(request: IncomingRequest): string | undefined {
  request.readHead();
  return request.upgradeType;
}

/** RFC 9112 6.3: a length and chunks; Envoy names this one error by itself. */
function detailsOf(error: NodeJS.ErrnoException & { reason?: string }): string {
  return error.reason?.includes("can't be present with") === true ? 'http1.content_length_and_chunked_not_allowed' : 'http1.codec_error';
}
