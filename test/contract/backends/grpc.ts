/** gRPC by hand: messages come back as `NAME:message`, one by one, so that a stream that is held up shows. */
import type { ServerHttp2Stream } from 'node:http2';
import { createFrameReader, frame } from '../grpc-frames.ts';
import type { Arrival, Backend } from './types.ts';

export function answerGrpc(stream: ServerHttp2Stream, arrival: Arrival, backend: Backend, arrivals: Arrival[], held: (() => void)[]): void {
  arrivals.push(arrival);
  const { reply, name } = backend;
  const failing = reply.failures === undefined || arrivals.length <= reply.failures;
  const status = failing ? (reply.grpcStatus ?? 0) : 0;
  const message = status === 0 ? '' : `status ${status} of ${name}`;
  const head = {
    ':status': failing ? (reply.status ?? 200) : 200,
    'content-type': 'application/grpc',
    'x-instance': name,
    ...reply.headers,
  };
  const trailers = { 'grpc-status': String(status), 'grpc-message': message, ...reply.trailers };
  if (failing && reply.refuseStream) return void stream.close(7);
  if (failing && reply.reset === 'before-headers') return void stream.close(2);
  if (failing && reply.trailersOnly) {
    stream.respond({ ...head, ...trailers }, { endStream: true });
    return;
  }
  const begin = (): void => {
    // Whoever waited may have left.
    if (stream.destroyed) return;
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    const read = createFrameReader((text) => {
      arrival.body += text;
      if (!stream.destroyed) stream.write(frame(`${name}:${text}`));
    });
    stream.on('data', read);
    stream.on('end', () => stream.end());
  };
  if (failing && reply.hold) held.push(begin);
  else if (failing && reply.delay) setTimeout(begin, reply.delay);
  else begin();
}
