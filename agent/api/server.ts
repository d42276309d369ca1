/**
 * The agent's HTTP API, on loopback and on a Unix socket: Envoy's admin endpoints of a proxy in Envoy's own formats, and the
 * agent's own under /fairlead/v1/. routes.ts says which.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { FairleadError } from '../../src/errors.ts';
import { appProberOf } from '../capture/app-probes.ts';
import type { Log } from '../log.ts';
import { SERVER_LIMITS } from '../server-limits.ts';
import { type AgentMetrics, createAgentMetrics } from '../telemetry/agent-metrics.ts';
import { refuseStranger, sendError } from './http.ts';
import { type MetricsServer, startMetricsServer } from './metrics-server.ts';
import { type ApiDeps, answer } from './routes.ts';

export interface ApiOptions extends Omit<ApiDeps, 'metrics'> {
  socket: string;
  /** On loopback; 0 takes a free one, undefined none. */
  port: number | undefined;
  /** The port for Prometheus and health checks; undefined for none. One that is not `required` is left out when it is taken. */
  metrics?: { host: string; port: number; required: boolean } | undefined;
  log?: Pick<Log, 'warning'> | undefined;
  /** Why it serves nobody yet, although it should; undefined when it does. */
  unserved?(): string | undefined;
}

export interface ApiServer {
  /** Where it listens: `http://127.0.0.1:15000`, or undefined without a port. */
  readonly url: string | undefined;
  readonly socket: string;
  /** `http://127.0.0.1:15020`, or undefined without such a port. */
  readonly metricsUrl: string | undefined;
  /** No new connections; another agent may listen there. Idempotent. */
  unlisten(): Promise<void>;
  /** Ends the connections that are left. */
  disconnect(): void;
}

/** Listens. Throws E_PORT_IN_USE, E_PORT_FORBIDDEN, E_AGENT_RUNNING, E_DATA_DIRECTORY. */
export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const { engine, controller, events, status, stop, log } = options;
  const metrics = createAgentMetrics({ engine, controller, events, status, warn: (message, fields) => log?.warning(message, fields) });
  const deps: ApiDeps = { engine, controller, events, metrics, status, stop };
  const servers: Server[] = [];
  let metricsServer: MetricsServer | undefined;
  const unlisten = async (): Promise<void> => {
    for (const s of servers) if (s.listening) s.close();
    metricsServer?.close();
    metrics.close();
  };
  try {
    servers.push(await listenOnSocket(options.socket, deps));
    const tcp = options.port === undefined ? undefined : await listenOnPort(deps, options.port);
    if (tcp) servers.push(tcp);
    metricsServer = await serveMetrics(options, metrics);
    const url = tcp && `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`;
    return {
      url,
      socket: options.socket,
      metricsUrl: metricsServer?.url,
      unlisten,
      disconnect() {
        for (const s of servers) s.closeAllConnections();
      },
    };
  } catch (error) {
    await unlisten();
    throw error;
  }
}

/** @param local who comes through the Unix socket was let in by its file's mode; TCP is open to every page in a browser */
function createApi(deps: ApiDeps, local: boolean): Server {
  return createServer(SERVER_LIMITS, (request, response) => {
    if (!local && refuseStranger(request, response)) return;
    answer(deps, request, response).catch((error: Error) => sendError(response, error));
  });
}

function listen(server: Server, at: { path: string } | { port: number; host: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      // A connection that could not be accepted (no file descriptors left) is lost; the server is not.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

async function serveMetrics(options: ApiOptions, metrics: AgentMetrics): Promise<MetricsServer | undefined> {
  if (options.metrics === undefined) return undefined;
  const { required, ...at } = options.metrics;
  const probe = appProberOf(process.env);
  const unready = (): string | undefined => {
    const { engine, config } = options.status();
    if (engine.state !== 'running') return `the data plane is ${engine.state}`;
    return config.state === 'loading' ? 'the configuration is being read' : options.unserved?.();
  };
  try {
    return await startMetricsServer({ ...at, metrics, unready, probe });
  } catch (error) {
    if (required || !(error instanceof FairleadError)) throw error;
    options.log?.warning(`${error.message}: metrics are at the agent's API alone`, { port: at.port });
    return undefined;
  }
}

async function listenOnSocket(socket: string, deps: ApiDeps): Promise<Server> {
  // The lock is ours, so this is for agents that cannot see each other's processes: containers that share a directory.
  if (await isAnswered(socket))
    throw new FairleadError('E_AGENT_RUNNING', `an agent answers at ${socket} already`, {
      next: 'Stop it, or give this one a data directory of its own with --data DIR.',
    });
  try {
    rmSync(socket, { force: true });
    const server = await listen(createApi(deps, true), { path: socket });
    chmodSync(socket, 0o600);
    return server;
  } catch (error) {
    throw new FairleadError('E_DATA_DIRECTORY', `the agent cannot listen on ${socket}: ${(error as Error).message}`, {
      next: 'Give another directory with --data DIR.',
      cause: error,
    });
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function listenOnPort(deps: ApiDeps, port: number): Promise<Server> {
  try {
    return await listen(createApi(deps, false), { port, host: '127.0.0.1' });
  } catch (error) {
    throw portError(error as NodeJS.ErrnoException, port);
  }
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new FairleadError('E_PORT_IN_USE', `port ${port} of the agent's API is in use`, {
      next: 'Another agent may be running here (`fairlead agent status`). Give this one another port with --api-port, or 0 for a free one.',
      cause: error,
    });
  }
  const why = error.code === 'EACCES' ? 'ports below 1024 need privileges' : error.message;
  return new FairleadError('E_PORT_FORBIDDEN', `the agent's API cannot listen on port ${port}: ${why}`, {
    next: 'Give another port with --api-port, or 0 for a free one.',
    cause: error,
  });
}
