/** The CA's API over HTTP: JSON on both versions, gRPC on HTTP/2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { FairleadError } from '../../src/errors.ts';
import type { Log } from '../log.ts';
import { type CaApi, signWishOf } from './api.ts';
import type { Callers } from './callers.ts';
import { Denied, GRPC_STATUS, HTTP_STATUS } from './denied.ts';
import { CREATE_CERTIFICATE, readIstioRequest, writeIstioResponse } from './istio-codec.ts';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

export interface HandlerDeps {
  api: CaApi;
  callers: Callers;
  log: Log;
  /** Host names and addresses that clients may use; undefined on the Unix socket. */
  hosts: ReadonlySet<string> | undefined;
}

const LARGEST_BODY = 64 * 1024;
const BODY_MS = 10_000;

/** @param secure whether the connection is TLS; the Unix socket's file guards it otherwise */
export function createHandler(deps: HandlerDeps, secure: boolean) {
  return (request: Request, response: Response): void => {
    const grpc = /^application\/grpc(?:[+;]|$)/.test(request.headers['content-type'] ?? '');
    const answer = grpc ? answerGrpc(deps, request, response, secure) : answerJson(deps, request, response, secure);
    answer.catch((error: Error) => {
      const denied = deniedOf(error, deps.log);
      if (response.headersSent) response.destroy();
      else if (grpc) sendGrpcError(response, denied);
      else sendJson(response, HTTP_STATUS[denied.kind], { error: { kind: denied.kind, message: denied.message } });
    });
  };
}

/** What is ours is logged, and told in general words. */
function deniedOf(error: Error, log: Log): Denied {
  if (error instanceof Denied) return error;
  log.error('a request failed', { why: error.message });
  return new Denied('unavailable', error instanceof FairleadError ? `the CA cannot sign now (${error.code})` : 'the CA cannot sign now');
}

async function answerJson({ api, callers, hosts }: HandlerDeps, request: Request, response: Response, secure: boolean): Promise<void> {
  refuseStranger(request, hosts);
  const path = (request.url ?? '/').replace(/\?.*$/, '');
  const method = ROUTES[path];
  if (method === undefined) throw new Denied('not-found', `there is no ${path}; there are ${Object.keys(ROUTES).join(', ')}`);
  if (request.method !== method) throw new Denied('method', `${path} takes ${method}, not ${request.method}`);
  if (path === '/v1/bundle') return sendJson(response, 200, api.bundle());
  const caller = await callers.callerOf(secure ? socketOf(request) : undefined, request.headers.authorization);
  const body = jsonOf(await readBody(request));
  sendJson(response, 200, path === '/v1/sign' ? await api.sign(caller, signWishOf(body)) : api.report(caller, body));
}

const ROUTES: Readonly<Record<string, string | undefined>> = { '/v1/bundle': 'GET', '/v1/sign': 'POST', '/v1/report': 'POST' };

/** A unary call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. */
async function answerGrpc({ api, callers, hosts }: HandlerDeps, request: Request, response: Response, secure: boolean): Promise<void> {
  refuseStranger(request, hosts);
  if (request.httpVersionMajor !== 2) throw new Denied('method', 'gRPC needs HTTP/2');
  if (request.url !== CREATE_CERTIFICATE) throw new Denied('not-found', `there is no method ${request.url}`);
  const caller = await callers.callerOf(secure ? socketOf(request) : undefined, request.headers.authorization);
  const message = unframe(await readBody(request));
  const { csr, validityDuration, impersonated } = decoded(message);
  const ttlSeconds = validityDuration > 0 ? validityDuration : undefined;
  const { chain, roots } = await api.sign(caller, { csr, identity: impersonated, ttlSeconds });
  const certificates = chain.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----\n/g) ?? [];
  // Istio's agents take the last text for the roots, however many are in it.
  const bytes = writeIstioResponse([...certificates, roots]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(bytes.length, 1);
  sendGrpc(response, Buffer.concat([frame, bytes]), { 'grpc-status': '0' });
}

function sendGrpcError(response: Response, { kind, message }: Denied): void {
  sendGrpc(response, undefined, { 'grpc-status': String(GRPC_STATUS[kind]), 'grpc-message': percentEncoded(message) });
}

/** Printable ASCII stays as it is, by the same document. */
const percentEncoded = (text: string): string => text.replaceAll(/[^\x20-\x24\x26-\x7e]+/gu, (part) => encodeURIComponent(part));

function sendGrpc(response: Response, body: Buffer | undefined, trailers: Record<string, string>): void {
  const h2 = response as Http2ServerResponse;
  h2.writeHead(200, { 'content-type': 'application/grpc' });
  h2.addTrailers(trailers);
  h2.end(body ?? '');
}

function unframe(body: Buffer): Buffer {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5)
    throw new Denied('invalid', 'one uncompressed message was expected');
  return body.subarray(5);
}

function decoded(message: Buffer) {
  try {
    return readIstioRequest(message);
  } catch (error) {
    throw new Denied('invalid', `this is no IstioCertificateRequest: ${(error as Error).message}`);
  }
}

/** DNS rebinding: a page's script may reach this port under a name of its own; never under one of ours. */
function refuseStranger({ headers }: Request, hosts: ReadonlySet<string> | undefined): void {
  if (hosts === undefined) return;
  const host = String(headers[':authority'] ?? headers.host ?? '')
    .replace(/:\d+$/, '')
    .toLowerCase();
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) throw new Denied('forbidden', 'no web page may ask the CA');
  if (!hosts.has(host))
    throw new Denied('forbidden', `the CA is not called ${JSON.stringify(host)} here: name it with --host when it is served`);
}

const socketOf = (request: Request): TLSSocket =>
  ('stream' in request ? (request.stream.session?.socket ?? request.socket) : request.socket) as TLSSocket;

async function readBody(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => request.destroy(new Denied('invalid', 'the body took too long')), BODY_MS);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY) throw new Denied('too-large', `the body is larger than ${LARGEST_BODY} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw new Denied('invalid', 'the body must be a JSON object');
}

function sendJson(response: Response, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  (response as ServerResponse).writeHead(status, headers);
  response.end(text);
}
