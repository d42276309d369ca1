/** gRPC's health check, as one call without a library: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
import { connect as connectSocket } from 'node:net';
import type { AppProbe } from '../../src/install/capture/app-probe.ts';
import type { ProbeAnswer } from './app-probes.ts';
import type { ProbeTarget } from './probe-target.ts';

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const SERVING = 1;
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Calls `Check`; rejects when there is no answer. Plain text, as the kubelet. */
export async function probeGrpc(
  { port, service = '' }: NonNullable<AppProbe['grpc']>,
  { address, localAddress }: ProbeTarget,
  userAgent: string,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const { connect } = process.getBuiltinModule('node:http2');
  const host = address.includes(':') ? `[${address}]` : address;
  const socket = connectSocket({ host: address, port, ...(localAddress && { localAddress }), signal });
  const session = connect(`http://${host}:${port}`, { createConnection: () => socket });
  try {
    const answer = await new Promise<{ status: string; message: Buffer }>((resolve, reject) => {
      session.on('error', reject);
      const call = session.request(
        {
          ':method': 'POST',
          ':path': '/grpc.health.v1.Health/Check',
          'content-type': 'application/grpc',
          te: 'trailers',
          'user-agent': userAgent,
        },
        { signal },
      );
      let status = '';
      const parts: Buffer[] = [];
      const take = (headers: Record<string, unknown>): void => {
        status = String(headers['grpc-status'] ?? status);
      };
      call.on('response', take).on('trailers', take).on('error', reject);
      call.on('data', (part: Buffer) => {
        if (parts.reduce((sum, { length }) => sum + length, part.length) <= 1024) parts.push(part);
      });
      call.on('end', () => resolve({ status, message: Buffer.concat(parts) }));
      call.end(framed(requestFor(service)));
    });
    if (answer.status !== '0')
      return { status: 500, text: `the application’s health check ends with gRPC status ${answer.status || 'unknown'}` };
    const serving = servingStatus(answer.message.subarray(5));
    const text = `the application says ${STATUSES[serving] ?? serving}`;
    return { status: serving === SERVING ? 200 : 500, text };
  } finally {
    session.destroy();
    socket.destroy();
  }
}

/** Field 1, a string. Names are shorter than 128 bytes, or their length takes several. */
function requestFor(service: string): Buffer {
  const name = Buffer.from(service);
  return name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** gRPC over HTTP/2: not compressed, and how long it is. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Field 1, an enum of one byte; what is not there is 0. */
function servingStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
