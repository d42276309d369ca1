/**
 * Envoy's admin API of one proxy: same paths, methods and formats (docs/operations/admin of Envoy).
 *
 * Answers that are protobuf messages in Envoy leave here in camelCase with `message=<type>` in the content type; the agent,
 * which has the descriptors, writes them as Envoy does.
 */
import type { ServerResponse } from 'node:http';
import type { HostedProxy } from '../host.ts';
import { statsJson } from '../stats/json.ts';
import { prometheusText } from '../stats/prometheus.ts';
import { resetCounters } from '../stats/reset.ts';
import { nameFilter } from '../stats/stats-filter.ts';
import { statsText } from '../stats/text.ts';
import { clustersText } from '../upstream/clusters-text.ts';
import { certificatesOf } from './certificates.ts';
import { memory, serverInfo } from './process-info.ts';

export interface AdminDeps {
  version: string;
  startedAt: number;
  /** `/quitquitquit` */
  stop(): void;
}

type Answer = { status?: number; type?: string; body: string };
type Endpoint = (proxy: HostedProxy, query: URLSearchParams, deps: AdminDeps) => Answer;

const DRAIN_MS = 30_000;
const text = (body: string, status = 200): Answer => ({ status, type: 'text/plain; charset=UTF-8', body });
const json = (body: unknown): Answer => ({ type: 'application/json', body: JSON.stringify(body) });
const message = (name: string, body: unknown): Answer => ({
  type: `application/json; message=envoy.admin.v3.${name}`,
  body: JSON.stringify(body),
});

const READ: Record<string, Endpoint> = {
  '/': () => text(`${[...Object.keys(READ), ...Object.keys(CHANGE).map((p) => `${p} (POST)`)].sort().join('\n')}\n`),
  '/help': (...args) => (READ['/'] as Endpoint)(...args),
  '/clusters': (proxy, query) =>
    query.get('format') === 'json' ? message('Clusters', proxy.clusters.dump()) : text(clustersText(proxy.clusters.dump())),
  '/listeners': (proxy, query) => {
    const dump = proxy.runtime.dumpListeners();
    if (query.get('format') === 'json') return message('Listeners', dump);
    return text(
      dump.listenerStatuses
        .map((l) => `${l.name}::${l.localAddress.socketAddress.address}:${l.localAddress.socketAddress.portValue}\n`)
        .join(''),
    );
  },
  '/stats': (proxy, query) => stats(proxy, query, query.get('format')),
  '/stats/prometheus': (proxy, query) => stats(proxy, query, 'prometheus'),
  '/certs': (proxy) => message('Certificates', certificatesOf([...proxy.runtime.tlsContexts(), ...proxy.clusters.tlsContexts()])),
  '/ready': (proxy) => (proxy.failing ? text('DRAINING\n', 503) : text('LIVE\n')),
  '/server_info': (proxy, _query, deps) => message('ServerInfo', serverInfo(proxy, deps)),
  '/memory': () => message('Memory', memory()),
  '/hot_restart_version': () => text('disabled\n'),
};

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

function stats(proxy: HostedProxy, query: URLSearchParams, format: string | null): Answer {
  const only = { filter: query.get('filter') ?? undefined, usedOnly: query.has('usedonly') };
  const filter = nameFilter(only.filter);
  if (typeof filter !== 'function') return text(filter.error, 400);
  if (format === 'prometheus') return { type: PROMETHEUS, body: prometheusText(proxy.stats, only) };
  return format === 'json' ? json(statsJson(proxy.stats, only)) : text(statsText(proxy.stats, only));
}

const CHANGE: Record<string, Endpoint> = {
  '/logging': (_proxy, query) => {
    const level = query.get('level') ?? query.get('proxy');
    if (level !== null && !LEVELS.includes(level)) return text(`error: unknown level ${level}; there are ${LEVELS.join(', ')}\n`, 400);
    if (level !== null) logLevel = level;
    return text(`active loggers:\n  proxy: ${logLevel}\n`);
  },
  '/drain_listeners': (proxy) => {
    void proxy.runtime.drain(DRAIN_MS);
    return text('OK\n');
  },
  '/healthcheck/fail': (proxy) => {
    proxy.failing = true;
    return text('OK\n');
  },
  '/healthcheck/ok': (proxy) => {
    proxy.failing = false;
    return text('OK\n');
  },
  '/reset_counters': (proxy) => {
    resetCounters(proxy.stats);
    return text('OK\n');
  },
  '/quitquitquit': (_proxy, _query, deps) => {
    setImmediate(deps.stop);
    return text('OK\n');
  },
};

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];
let logLevel = 'info';

export function handleAdmin(
  proxy: HostedProxy,
  deps: AdminDeps,
  method: string,
  path: string,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const change = Object.hasOwn(CHANGE, path) ? CHANGE[path] : undefined;
  const read = Object.hasOwn(READ, path) ? READ[path] : undefined;
  let answer: Answer;
  if (change && method !== 'POST') answer = text(`Method ${method} not allowed, POST required.\n`, 405);
  else if (change) answer = change(proxy, query, deps);
  else if (read) answer = read(proxy, query, deps);
  else answer = text(`invalid path. admin commands are:\n${(READ['/'] as Endpoint)(proxy, query, deps).body}`, 404);
  const body = Buffer.from(answer.body);
  response
    .writeHead(answer.status ?? 200, {
      'content-type': answer.type ?? 'text/plain',
      'content-length': body.length,
      'cache-control': 'no-cache, max-age=0',
    })
    .end(body);
}
