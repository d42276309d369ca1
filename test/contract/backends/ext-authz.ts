/**
 * An authorizer that decides as Istio's sample does: what has `x-ext-authz: allow` may pass. Over HTTP, and over Envoy's gRPC service
 * (envoy/service/auth/v3/external_auth.proto), put together by hand: a peer that knows nothing of the proxy's own code.
 */
import type { ServerHttp2Stream } from 'node:http2';
import type { Reply } from '../case.ts';
import { frame } from '../grpc-frames.ts';
import type { Arrival } from './types.ts';
import { field, fieldsOf } from './wire.ts';

const DENIED = 'denied by ext_authz for not having x-ext-authz: allow';
/** google.rpc.Code. */
const [OK, PERMISSION_DENIED] = [0, 7];

const mayPass = (headers: Arrival['headers'], reply: Reply): boolean =>
  reply.status === undefined && headers.some(([k, v]) => k === 'x-ext-authz' && v === 'allow');

/** What a check over HTTP is answered. */
export function decideHttp({ headers }: Arrival, reply: Reply): Reply {
  const passes = mayPass(headers, reply);
  return {
    ...reply,
    status: passes ? 200 : (reply.status ?? 403),
    headers: { 'x-ext-authz-check-result': passes ? 'allowed' : 'denied', ...reply.headers },
    ...(!passes && { body: reply.body ?? DENIED }),
  };
}

const text = (message: Map<number, Buffer[]>, number: number): string => message.get(number)?.[0]?.toString('utf8') ?? '';
const inner = (message: Map<number, Buffer[]>, number: number): Map<number, Buffer[]> =>
  fieldsOf(message.get(number)?.[0] ?? Buffer.alloc(0));

/** HeaderValueOption with an inner HeaderValue. */
const option = (name: string, value: string): Buffer => field(1, Buffer.concat([field(1, name), field(2, value)]));

/** CheckRequest: what is asked about, told as an arrival of its own. */
function arrivalOf(name: string, message: Buffer): { arrival: Arrival; http: boolean } {
  const attributes = inner(fieldsOf(message), 1);
  const request = inner(attributes, 4);
  const http = inner(request, 2);
  const principal = text(inner(attributes, 1), 4);
  const entries = (http.get(3) ?? []).map((entry) => fieldsOf(entry));
  const headers = entries.map((e): [string, string] => [text(e, 1), text(e, 2)]);
  if (principal !== '') headers.push([':source-principal', principal]);
  const arrival = {
    backend: name,
    protocol: 'check',
    method: text(http, 2),
    path: text(http, 4),
    authority: text(http, 5),
    headers,
    body: text(http, 11),
  };
  return { arrival, http: request.has(2) };
}

/** CheckResponse. */
function answerOf(passes: boolean, reply: Reply): Buffer {
  const own = Object.entries({ 'x-ext-authz-check-result': passes ? 'allowed' : 'denied', ...reply.headers });
  const headers = own.flatMap(([k, v]) => [v].flat().map((value) => option(k, value)));
  const status = field(1, field(1, passes ? OK : PERMISSION_DENIED));
  if (passes) return Buffer.concat([status, field(3, Buffer.concat(headers.map((h) => field(2, h))))]);
  const denied = [field(1, field(1, reply.status ?? 403)), ...headers.map((h) => field(2, h)), field(3, reply.body ?? DENIED)];
  return Buffer.concat([status, field(2, Buffer.concat(denied))]);
}

/** Answers one call of `Check`. A connection without HTTP may pass unless the reply has a status. */
export function answerCheck(stream: ServerHttp2Stream, name: string, reply: Reply, arrivals: Arrival[]): void {
  const pieces: Buffer[] = [];
  stream.on('data', (d: Buffer) => pieces.push(d));
  stream.on('end', () => {
    const { arrival, http } = arrivalOf(name, Buffer.concat(pieces).subarray(5));
    arrivals.push(arrival);
    if (reply.reset) return void stream.close(2);
    const passes = http ? mayPass(arrival.headers, reply) : reply.status === undefined;
    const respond = (): void => {
      if (stream.destroyed) return;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(frame(answerOf(passes, reply)));
    };
    if (reply.delay) setTimeout(respond, reply.delay);
    else respond();
  });
}
