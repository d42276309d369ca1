/**
 * The port for Prometheus and health checks, as Istio's agent has it: `/stats/prometheus` (`/metrics` is the same), `/healthz/ready`, and in
 * pods whose connections are captured the checks of their applications. It tells, and changes nothing, so it may be open to other hosts.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FairleadError } from '../../src/errors.ts';
import { EXPOSITION_TYPE } from '../../src/telemetry/metrics/exposition.ts';
import type { AppProber } from '../capture/app-probes.ts';
import { SERVER_LIMITS } from '../server-limits.ts';
import type { AgentMetrics } from '../telemetry/agent-metrics.ts';

export interface MetricsServerOptions {
  /** Empty: all addresses, of both families where there are two. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  metrics: AgentMetrics;
  /** Why the agent is not ready; undefined when it is. */
  unready(): string | undefined;
  /** Checks of the applications beside it. */
  probe?: AppProber | undefined;
}

export interface MetricsServer {
  /** `http://127.0.0.1:15020` */
  readonly url: string;
  /** Idempotent. */
  close(): void;
}

/** Where metrics are. */
export const METRICS_PATHS: ReadonlySet<string> = new Set(['/stats/prometheus', '/metrics']);

/** Listens. Throws E_PORT_IN_USE, E_PORT_FORBIDDEN. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = options;
  const server = createServer(SERVER_LIMITS, (request, response) => void answer(options, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)));
    server.listen({ host, port }, resolve);
  });
  server.on('error', () => undefined);
  return { url: urlOf(server), close: () => void server.close().closeAllConnections() };
}

async function answer(
  { metrics, unready, probe }: MetricsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname = '', search = '' } = URL.parse(request.url ?? '/', 'http://agent') ?? {};
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET\n');
  if (METRICS_PATHS.has(pathname)) return sendMetrics(metrics, search, response);
  const checked = await probe?.(pathname, request.headers['user-agent'] ?? 'fairlead');
  if (checked !== undefined) return send(response, checked.status, 'text/plain', `${checked.text}\n`);
  if (pathname !== '/healthz/ready') return send(response, 404, 'text/plain', 'there are /stats/prometheus, /metrics and /healthz/ready\n');
  const why = unready();
  return send(response, why === undefined ? 200 : 503, 'text/plain', `${why ?? 'ready'}\n`);
}

/** Answers with all metrics. Without a query the proxies tell only stats that were ever used. */
export async function sendMetrics(metrics: AgentMetrics, search: string, response: ServerResponse): Promise<void> {
  send(response, 200, EXPOSITION_TYPE, await metrics.text(search || '?usedonly'));
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body);
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  const next = 'Give another port with --metrics-port, or 0 for a free one.';
  if (error.code === 'EADDRINUSE')
    return new FairleadError('E_PORT_IN_USE', `port ${port} for metrics and health is in use`, { next, cause: error });
  const why = error.code === 'EACCES' ? 'ports below 1024 need privileges' : error.message;
  return new FairleadError('E_PORT_FORBIDDEN', `the agent cannot listen on port ${port} for metrics: ${why}`, { next, cause: error });
}
