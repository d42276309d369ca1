/** The agent's state as people read it. */
import type { Problem } from '../errors.ts';
import { CLUSTER_ID } from '../mesh/locality.ts';
import { columns } from './columns.ts';

/** The part of AgentStatus that is shown; field names are the API's. */
export interface ShownStatus {
  version: string;
  pid: number;
  engine: {
    engine: string;
    engineVersion: string;
    state: string;
    pid: number | undefined;
    since: number;
    restarts: number;
    lastExit: string | undefined;
    /** One, or one for each proxy. */
    processes?: readonly ShownProcess[];
  };
  /** Why this engine. */
  chosen?: string;
  config: { state: string; at: number; files: number; resources: number; problems: readonly Problem[] };
  proxies: ShownProxy[];
  /** Absent from agents of before. */
  identity?: ShownIdentity;
}

export interface ShownIdentity {
  ca: string;
  /** The agent's own, where its CA is served elsewhere. */
  agent?: { identity: string; notAfter: string; nextRenewal: string };
  certificates: readonly ShownCertificate[];
  problems: readonly { proxy: string; name: string; message: string; serves: boolean }[];
}

export interface ShownCertificate {
  identity: string;
  state: string;
  /** ISO 8601. */
  notAfter: string | undefined;
  nextRenewal: string;
  lastError: { at: string; message: string } | undefined;
  proxies: readonly string[];
}

export interface ShownProcess {
  /** undefined: all proxies of the node. */
  proxy: string | undefined;
  state: string;
  pid: number | undefined;
}

export interface ShownProxy {
  name: string;
  type: string;
  sync: string;
  version: string | undefined;
  since: number;
  problems: readonly Problem[];
  /** By type of resource, where the engine tells it. */
  types?: readonly { type: string; state: string; since: number }[];
  listening: readonly { address: string; purpose: string }[];
  resources: { listeners: number; routes: number; clusters: number; endpoints: number };
}

/** `5s`, `12m`, `3h`, `2d`. */
export function age(since: number, now: number): string {
  const s = Math.max(0, Math.round((now - since) / 1000));
  if (s < 120) return `${s}s`;
  if (s < 7200) return `${Math.round(s / 60)}m`;
  if (s < 172_800) return `${Math.round(s / 3600)}h`;
  return `${Math.round(s / 86_400)}d`;
}

/** @param now milliseconds since 1970 */
export function agentStatusText(status: ShownStatus, now: number): string {
  const { engine, config } = status;
  const own = (engine.processes ?? []).filter((p) => p.proxy !== undefined);
  const one = engine.pid === undefined ? '' : `, process ${engine.pid} for ${age(engine.since, now)}`;
  const process = own.length > 0 ? `, ${count(own.filter((p) => p.pid !== undefined).length, 'process', 'processes')}` : one;
  const restarts = engine.restarts === 0 ? '' : `, ${count(engine.restarts, 'restart')} (last: ${engine.lastExit})`;
  const errors = config.problems.filter((p) => p.severity === 'error').length;
  const warnings = config.problems.length - errors;
  const found = [errors > 0 ? `, ${count(errors, 'error')}` : '', warnings > 0 ? `, ${count(warnings, 'warning')}` : ''].join('');
  const lines = [
    `agent   ${status.version}, process ${status.pid}`,
    `engine  ${engine.engine} ${engine.engineVersion}, ${engine.state}${process}${restarts}`,
    ...(status.chosen ? [`        ${status.chosen}`] : []),
    `config  ${config.state} ${age(config.at, now)} ago, ${count(config.files, 'file')}, ${count(config.resources, 'resource')}${found}`,
  ];
  if (status.proxies.length > 0) lines.push('', proxyListText(status.proxies, own, now));
  if (status.identity) lines.push(...identityLines(status.identity, now));
  return lines.join('\n');
}

/** Certificates, and below them what is wrong; nothing where no proxy has secrets. */
function identityLines({ ca, agent, certificates, problems }: ShownIdentity, now: number): string[] {
  const until = (time: string | undefined): string => (time === undefined ? '-' : left(Date.parse(time), now));
  const row = (c: ShownCertificate): string[] => [
    c.identity,
    c.state.toUpperCase(),
    until(c.notAfter),
    Date.parse(c.nextRenewal) <= now ? 'now' : `in ${until(c.nextRenewal)}`,
    c.proxies.length > 3 ? `${c.proxies.slice(0, 2).join(', ')} and ${c.proxies.length - 2} more` : c.proxies.join(', ') || '-',
  ];
  const own = agent && [
    agent.identity,
    Date.parse(agent.notAfter) > now ? 'VALID' : 'EXPIRED',
    until(agent.notAfter),
    `in ${until(agent.nextRenewal)}`,
    'the agent itself',
  ];
  const rows = [...(own ? [own] : []), ...certificates.map(row)];
  const failed = certificates.flatMap((c) =>
    c.lastError ? [`${c.identity}: not renewed, ${age(Date.parse(c.lastError.at), now)} ago: ${c.lastError.message}`] : [],
  );
  const missing = problems.map(
    ({ proxy, name, message, serves }) =>
      `${proxy}: ${name === '' ? 'secrets' : name}: ${message}${serves ? ' (what it last was serves on)' : ''}`,
  );
  if (rows.length === 0 && missing.length === 0) return [];
  const table = rows.length > 0 ? [columns([['CERTIFICATE', 'STATE', 'EXPIRES IN', 'RENEWAL', 'PROXIES'], ...rows])] : [];
  return ['', ...(rows.length > 0 ? [`certificates by ${ca}`] : []), ...table, ...[...failed, ...missing].map((line) => `  ${line}`)];
}

/** How long until then; `expired` for what is over. */
function left(time: number, now: number): string {
  return time <= now ? 'expired' : age(now, time);
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** @param processes of single proxies; none where one process runs them all */
function proxyListText(proxies: readonly ShownProxy[], processes: readonly ShownProcess[], now: number): string {
  const cells = (p: ShownProxy): string[] => {
    const own = processes.find((o) => o.proxy === p.name);
    const process = own ? [`${own.pid ?? '-'}${own.state === 'running' ? '' : ` ${own.state}`}`] : ['-'];
    const listening = p.listening.map((l) => `${l.address} ${l.purpose}`).join(', ') || '-';
    return [p.name, p.type, p.sync, age(p.since, now), ...(processes.length > 0 ? process : []), listening];
  };
  return columns([['PROXY', 'TYPE', 'SYNC', 'SINCE', ...(processes.length > 0 ? ['PROCESS'] : []), 'LISTENING'], ...proxies.map(cells)]);
}

/** istioctl's proxy-status, one row a proxy: its columns, then ours; `verbose` has one column a type. */
export function proxyStatusText(status: ShownStatus, now: number, verbose: boolean): string {
  const version = `${status.engine.engine}-${status.engine.engineVersion}`;
  const rows = status.proxies.map((p) => {
    if (!verbose) return [p.name, CLUSTER_ID, SERVER, version, subscribed(p), p.sync, age(p.since, now)];
    const { clusters, listeners, endpoints, routes } = p.resources;
    const cell = (type: string, n: number): string => {
      if (!p.types) return n === 0 && p.sync === 'SYNCED' ? 'NOT SENT' : `${p.sync} (${age(p.since, now)})`;
      const own = p.types.find((t) => t.type === type);
      return !own || own.state === 'NOT SENT' ? 'NOT SENT' : `${own.state} (${age(own.since, now)})`;
    };
    const cells = [cell('CDS', clusters), cell('LDS', listeners), cell('EDS', endpoints), cell('RDS', routes)];
    return [p.name, CLUSTER_ID, ...cells, SERVER, version];
  });
  const head = verbose
    ? ['NAME', 'CLUSTER', 'CDS', 'LDS', 'EDS', 'RDS', 'ISTIOD', 'VERSION']
    : ['NAME', 'CLUSTER', 'ISTIOD', 'VERSION', 'SUBSCRIBED TYPES', 'SYNC', 'SINCE'];
  if (rows.length === 0 && status.config.state === 'loading') return 'the agent is starting: it reads the configuration';
  return columns([head, ...rows]);
}

/** What a proxy has asked for; the embedded one takes all four types as one. */
function subscribed({ types }: ShownProxy): string {
  const names = types?.map((t) => t.type) ?? ['CDS', 'LDS', 'EDS', 'RDS'];
  return `${names.length} (${names.join(',')})`;
}

/** Who serves the proxies, in istioctl's column for it. */
const SERVER = 'fairlead-agent';
