/** What `doctor` asks of this machine and of an agent. */
import { accessSync, constants, lstatSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClockFacts, ClusterFacts, DirectoryFacts, MachineProbes, MeshProbes, StatusFacts } from '../src/doctor/probes.ts';
import { splitAddress } from '../src/upstream/host-address.ts';
import type { AgentClient } from './client.ts';
import { findEnvoy } from './envoy/find.ts';

const CONNECT_MS = 2000;
/** Long enough for a clock that runs wild to show. */
const CLOCK_MS = 50;
/** No clock is before the year in which this was written. */
const WRITTEN = Date.UTC(2026, 0, 1);

/** Probes of a machine, whether or not anything runs. */
export function machineProbes(directory: string): MachineProbes {
  const path = resolve(directory);
  return {
    dataDirectory: once(async () => directoryFacts(path)),
    clock: once(clockFacts),
    node: async () => ({ version: process.versions.node, wanted: 24 }),
    port: portProblem,
    async envoy() {
      const found = await findEnvoy();
      return found && { path: found.path, version: found.version, why: found.why };
    },
    openFiles: async () => openFiles(),
  };
}

/** Probes of a running mesh. Facts that several checks ask for are asked for once. */
export function meshProbes(directory: string, agent: AgentClient, version: string): MeshProbes {
  const machine = machineProbes(directory);
  const status = once(() => agent.getJson<StatusFacts>('/fairlead/v1/status'));
  const names = async (): Promise<string[]> => (await status()).proxies.map((p) => p.name);
  const ofEach = async <T>(work: (proxy: string) => Promise<readonly T[]>): Promise<T[]> => {
    const out: T[] = [];
    for (const name of await names()) out.push(...(await work(name)));
    return out;
  };
  const json = async (proxy: string, path: string): Promise<unknown> => {
    const { body } = await agent.get(`/proxies/${encodeURIComponent(proxy)}${path}`);
    return JSON.parse(body.toString('utf8'));
  };
  return {
    dataDirectory: machine.dataDirectory,
    clock: machine.clock,
    version,
    agent: agent.address,
    status,
    ready: async (proxy) => {
      const { body } = await agent.get(`/proxies/${encodeURIComponent(proxy)}/ready`);
      return body.toString('utf8').trim();
    },
    certificates: once(async () => {
      const { certificates = [] } = (await status()).identity ?? {};
      const own = new Set(certificates.map(({ serial }) => serial));
      const shown = await ofEach(async (proxy) => certificatesOf(proxy, (await json(proxy, '/certs')) as CertsJson));
      return [
        ...certificates.map(({ identity, state, notAfter, lastError, proxies }) => ({
          proxy: proxies.join(', '),
          name: identity,
          notAfter: notAfter === undefined ? undefined : Date.parse(notAfter),
          renewal: { state, why: lastError?.message },
        })),
        ...shown.filter(({ serial }) => !own.has(serial)),
      ];
    }),
    clusters: once(() => ofEach(async (proxy) => clustersOf(proxy, (await json(proxy, '/clusters?format=json')) as ClustersJson))),
    connect: connectProblem,
    async metrics() {
      const { body } = await agent.get('/stats/prometheus');
      return body
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')).length;
    },
    async accessLogs() {
      const paths = new Set(await ofEach(async (proxy) => logPaths(await json(proxy, '/config_dump'))));
      return [...paths].sort().map((path) => ({ path, unwritable: path.startsWith('/dev/std') ? undefined : unwritableFile(path) }));
    },
  };
}

/** The same answer, or the same error, however often it is asked for. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= work();
    return answer;
  };
}

function directoryFacts(path: string): DirectoryFacts {
  const info = statSync(path, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  const mine = (owner: number): boolean => uid === undefined || owner === uid;
  // What is not there is made in the nearest folder that is.
  let folder = path;
  while (statSync(folder, { throwIfNoEntry: false }) === undefined && dirname(folder) !== folder) folder = dirname(folder);
  const facts = {
    path,
    exists: info !== undefined,
    mode: info?.mode ?? 0,
    mine: info === undefined || mine(info.uid),
    free: freeBytes(folder),
  };
  if (info !== undefined && !info.isDirectory()) return { ...facts, unwritable: 'it is a file, not a folder', files: [] };
  const unwritable = problemOf(folder, constants.W_OK | constants.X_OK);
  if (info === undefined)
    return { ...facts, unwritable: unwritable && `it is not there, and ${folder} cannot be written: ${unwritable}`, files: [] };
  if (unwritable !== undefined) return { ...facts, unwritable, files: [] };
  const files = readdirSync(path).flatMap((name) => {
    const file = lstatSync(join(path, name), { throwIfNoEntry: false });
    return file === undefined ? [] : [{ name, mode: file.mode, socket: file.isSocket(), mine: mine(file.uid), modified: file.mtimeMs }];
  });
  return { ...facts, unwritable, files };
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of the path is a file',
};

function problemOf(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return WHY[code] ?? message;
  }
}

function unwritableFile(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return problemOf(path, constants.W_OK);
  const why = problemOf(dirname(path), constants.W_OK | constants.X_OK);
  return why && `${dirname(path)}: ${why}`;
}

function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

async function clockFacts(): Promise<ClockFacts> {
  const [wall, steady] = [Date.now(), performance.now()];
  await new Promise((done) => setTimeout(done, CLOCK_MS));
  const [moved, elapsed] = [Date.now() - wall, performance.now() - steady];
  // npm gives the files of packages a time of long ago.
  const file = statSync(fileURLToPath(import.meta.url), { throwIfNoEntry: false });
  const built = file !== undefined && file.mtimeMs > WRITTEN && file.mtimeMs < wall + 86_400_000 ? file.mtimeMs : WRITTEN;
  return { now: wall, built: Math.min(built, wall > WRITTEN ? wall : built), moved, elapsed };
}

/** As the proxies would: on all addresses. */
function portProblem(port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      done(code === 'EADDRINUSE' ? 'something listens there' : (WHY[code ?? ''] ?? message)),
    );
    server.listen({ port, exclusive: true }, () => server.close(() => done(undefined)));
  });
}

const CONNECT_WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the name is not known',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
};

/** Connects and lets go. `0.0.0.0` is meant for this host. */
function connectProblem(address: string): Promise<string | undefined> {
  const at = splitAddress(address);
  const local: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const to = address.startsWith('unix:')
    ? { path: address.slice('unix:'.length) }
    : at && { host: local[at.host] ?? at.host, port: at.port };
  if (to === undefined || ('port' in to && to.port === undefined)) return Promise.resolve('it is no address');
  return new Promise((done) => {
    const socket = connect(to as NetConnectOpts);
    const end = (why: string | undefined): void => {
      socket.destroy();
      done(why);
    };
    socket.setTimeout(CONNECT_MS, () => end(`no answer within ${CONNECT_MS / 1000} s`));
    socket.once('connect', () => end(undefined));
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => end(CONNECT_WHY[code ?? ''] ?? message));
  });
}

/** Node's own report knows the limits; its other parts are not wanted. */
function openFiles(): number | undefined {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

/** Envoy's `/certs`, as far as it is read. */
export interface CertsJson {
  certificates?: { ca_cert?: CertJson[]; cert_chain?: CertJson[] }[];
}

interface CertJson {
  path?: string;
  serial_number?: string;
  subject_alt_names?: { uri?: string; dns?: string }[];
  expiration_time?: string;
}

/** Certificates of a proxy; what has no end is left out. */
export function certificatesOf(proxy: string, { certificates = [] }: CertsJson) {
  return certificates
    .flatMap(({ ca_cert = [], cert_chain = [] }) => [...ca_cert, ...cert_chain])
    .flatMap(({ path, serial_number, subject_alt_names, expiration_time = '' }) => {
      const notAfter = Date.parse(expiration_time);
      const [san] = subject_alt_names ?? [];
      const serial = serial_number?.toLowerCase().replace(/^0+(?=.)/, '');
      return Number.isNaN(notAfter) ? [] : [{ proxy, name: san?.uri ?? san?.dns ?? path ?? `serial number ${serial}`, notAfter, serial }];
    });
}

/** The part of envoy.admin.v3.Clusters that is read. */
export interface ClustersJson {
  cluster_statuses?: {
    name?: string;
    host_statuses?: {
      address?: { socket_address?: { address?: string; port_value?: number }; pipe?: { path?: string } };
      health_status?: Record<string, unknown> & { eds_health_status?: string };
    }[];
  }[];
}

/** Envoy: with none of these flags and a healthy EDS status a host gets requests. */
const FLAGS: Readonly<Record<string, string>> = {
  failed_active_health_check: 'fails its health check',
  failed_outlier_check: 'is ejected for its failures',
  pending_dynamic_removal: 'is about to be removed',
  failed_active_degraded_check: 'is degraded',
};

/** Clusters of a proxy with the health of their hosts. */
export function clustersOf(proxy: string, { cluster_statuses = [] }: ClustersJson): ClusterFacts[] {
  return cluster_statuses.map(({ name = '', host_statuses = [] }) => ({
    proxy,
    name,
    hosts: host_statuses.map(({ address, health_status = {} }) => {
      const { socket_address: socket, pipe } = address ?? {};
      const host = socket?.address ?? '';
      const flag = Object.keys(FLAGS).find((key) => health_status[key] === true);
      const eds = health_status.eds_health_status ?? 'HEALTHY';
      const why = flag !== undefined ? (FLAGS[flag] as string) : eds === 'HEALTHY' || eds === 'UNKNOWN' ? '' : `is ${eds}`;
      return {
        address: pipe?.path !== undefined ? `unix:${pipe.path}` : `${host.includes(':') ? `[${host}]` : host}:${socket?.port_value ?? 0}`,
        healthy: why === '',
        why,
      };
    }),
  }));
}

/** Files that access logs of a dump are written to. */
function logPaths(value: unknown, out: string[] = []): string[] {
  if (Array.isArray(value)) for (const one of value) logPaths(one, out);
  else if (typeof value === 'object' && value !== null) {
    const { '@type': type, path } = value as { '@type'?: unknown; path?: unknown };
    if (typeof type === 'string' && type.endsWith('.FileAccessLog') && typeof path === 'string' && path !== '/dev/null') out.push(path);
    for (const inner of Object.values(value)) logPaths(inner, out);
  }
  return out;
}
