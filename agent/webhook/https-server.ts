/** The HTTPS side of the webhooks: bounded bodies, deadlines, and an answer for whatever comes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readStream } from '../../src/config/sources/read-stream.ts';
import { FairleadError } from '../../src/errors.ts';
import type { Log } from '../log.ts';
import { type AdmissionRequest, type AdmissionResponse, readReview } from './review.ts';

export interface WebhookServer {
  readonly port: number;
  /** The next handshake has it; open connections stay. */
  setCertificate(certificate: { key: string; chain: string }): void;
  close(): Promise<void>;
}

export interface WebhookServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** What answers reviews, by path. */
  answers: Readonly<Record<string, (request: AdmissionRequest) => AdmissionResponse | Promise<AdmissionResponse>>>;
  /** Why it is not ready; undefined when it is. */
  unready(): string | undefined;
  log: Log;
}

/** An API server takes objects of 3 MB at most; a review can have two. */
const MOST_BYTES = 8 * 1024 * 1024;
const REQUEST_MS = 15_000;
const IDLE_MS = 120_000;

/** Listens; handshakes fail until there is a certificate. Throws E_PORT_IN_USE, E_PORT_FORBIDDEN. */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  const { host, port, log } = options;
  const server = createServer(
    { minVersion: 'TLSv1.2', requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS },
    (req, res) => {
      answer(options, req, res).catch((error: Error) => {
        log.error('a request failed', { path: req.url, why: error.message });
        send(res, 500, 'it could not be answered\n');
      });
    },
  );
  server.on('tlsClientError', (error) => log.debug('a handshake failed', { why: error.message }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)));
    server.listen({ host, port }, resolve);
  });
  server.on('error', (error) => log.error('the port of the webhooks', { why: error.message }));
  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: ({ key, chain }) => server.setSecureContext({ key, cert: chain, minVersion: 'TLSv1.2' }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), REQUEST_MS).unref();
      }),
  };
}

async function answer({ answers, unready, log }: WebhookServerOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname = '' } = URL.parse(req.url ?? '/', 'https://webhook') ?? {};
  if (pathname === '/healthz/ready' && (req.method === 'GET' || req.method === 'HEAD')) {
    const why = unready();
    return send(res, why === undefined ? 200 : 503, `${why ?? 'ready'}\n`);
  }
  const handle = Object.hasOwn(answers, pathname) ? answers[pathname] : undefined;
  if (handle === undefined) return send(res, 404, `there are ${[...Object.keys(answers), '/healthz/ready'].join(', ')}\n`);
  if (req.method !== 'POST') return send(res, 405, 'only POST\n');
  const body = await readStream(req, MOST_BYTES);
  if (!Buffer.isBuffer(body)) {
    res.shouldKeepAlive = false;
    return send(res, 413, `at most ${MOST_BYTES} bytes\n`);
  }
  const request = readReview(parsed(body));
  if ('wrong' in request) return send(res, 400, `${request.wrong}\n`);
  const response = await handle(request);
  const { kind, namespace, name, operation } = request;
  const outcome = response.allowed ? (response.patch === undefined ? 'allowed' : 'changed') : 'refused';
  log[response.allowed ? 'debug' : 'info']('admission', {
    ...{ path: pathname, kind: kind.kind, namespace, name, operation, outcome },
    ...(response.status === undefined ? {} : { why: response.status.message }),
  });
  const text = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
  return send(res, 200, text, 'application/json');
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function send(res: ServerResponse, status: number, body: string, contentType = 'text/plain'): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body);
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  const next = 'Give another port with --port, or 0 for a free one.';
  if (error.code === 'EADDRINUSE') return new FairleadError('E_PORT_IN_USE', `port ${port} for webhooks is in use`, { next, cause: error });
  const why = error.code === 'EACCES' ? 'ports below 1024 need privileges' : error.message;
  return new FairleadError('E_PORT_FORBIDDEN', `webhooks cannot be served on port ${port}: ${why}`, { next, cause: error });
}
