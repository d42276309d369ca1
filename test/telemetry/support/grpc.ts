/** A gRPC server and client by HTTP/2 alone: messages are any bytes. */
import { connect, createServer, type Http2Server } from 'node:http2';

export const frame = (text: string): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
};

/** Answers two messages with status 0, or none with status 5 where the method is `Fail`. */
export function startGrpc(): Http2Server {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const fails = String(headers[':path']).endsWith('/Fail');
    stream.on('error', () => undefined);
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': fails ? '5' : '0' }));
      if (!fails) {
        stream.write(frame('first'));
        stream.write(frame('second one'));
      }
      stream.end();
    });
  });
  return server;
}

/** Calls a method with messages; resolves with its status. `at` is the proxy, as `127.0.0.1:15001`. */
export function grpcCall(at: string, authority: string, path: string, messages: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${at}`);
    session.on('error', reject);
    const call = session.request({
      ':method': 'POST',
      ':path': path,
      ':scheme': 'http',
      ':authority': authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = '';
    call.on('response', (headers) => {
      status = String(headers['grpc-status'] ?? '');
    });
    call.on('trailers', (trailers) => {
      status = String(trailers['grpc-status'] ?? status);
    });
    call.on('error', reject);
    call.on('close', () => {
      session.close();
      resolve(status);
    });
    call.resume();
    for (const message of messages) call.write(frame(message));
    call.end();
  });
}
