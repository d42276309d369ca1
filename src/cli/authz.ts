/** What `authz check` and `authz can` are asked on the command line, and their answers. */
import { existsSync } from 'node:fs';
import { loadedPolicies } from '../authz/loaded-policies.ts';
import { mayDo } from '../authz/may.ts';
import type { LoadedPolicy, Permission, WorkloadPolicies } from '../authz/types.ts';
import { workloadPolicies } from '../authz/workload-policies.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { FairleadError } from '../errors.ts';
import { clientIdentity, IDENTITY_HINT } from '../explain/client-identity.ts';
import type { ClientIdentity } from '../explain/types.ts';
import { viewOfDump } from '../explain/view-of-dump.ts';
import { dnsNamesOf, identityOf } from '../mesh/identity.ts';
import { everyProxy, findProxy } from '../mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { parseIp } from '../routing/ip-range.ts';
import { sourceName } from './cluster-flags.ts';
import { thereAre } from './describe-command.ts';
import { claimsOf, headerLine } from './explain-question.ts';
import { type ExplainAround, loadMesh } from './explain-source.ts';
import { meshViews } from './mesh-views.ts';
import { proxySource } from './proxy-source.ts';

interface Loading {
  namespace?: string | undefined;
  'mesh-config'?: string | undefined;
  besides?: ConfigSource | undefined;
}

interface Proxied {
  file?: string | undefined;
  agent?: string | undefined;
  config?: string[] | undefined;
}

/** Whether the flags mean a running proxy or a dump: when they say so, and when there is no configuration. */
export function readsProxy({ file, agent, config }: Proxied, besides: ConfigSource | undefined): boolean {
  if (besides !== undefined) return false;
  return file !== undefined || agent !== undefined || (config === undefined && !existsSync('mesh'));
}

/** The policies that a running proxy has. Throws E_DUMP_INVALID, E_AGENT_UNREACHABLE, E_PROXY_UNKNOWN. */
export async function checkLoaded(
  { file, agent, proxy }: Proxied & { proxy: string | undefined },
  around: ExplainAround,
): Promise<LoadedPolicy[]> {
  const source = await proxySource(file !== undefined ? { file } : { agent, proxy }, around);
  return loadedPolicies(viewOfDump(await source.dump()).listeners);
}

/** The policies on a workload, or on all that are under one. Throws E_PROXY_UNKNOWN, and what `loadMesh` throws. */
export async function checkMesh(
  paths: readonly string[],
  loading: Loading,
  name: string | undefined,
  warn: (text: string) => void,
): Promise<WorkloadPolicies[]> {
  const { mesh } = await loadMesh(loading, paths, warn);
  if (name !== undefined) return [workloadPolicies(mesh, workload(mesh, name))];
  return everyProxy(mesh)
    .filter((p) => p.workload.kind !== 'implied')
    .map((p) => workloadPolicies(mesh, p))
    .filter((w) => w.policies.length > 0 || w.tokens.length > 0 || w.ports.some((p) => p.mtls.origin !== undefined));
}

function workload(mesh: Mesh, name: string): ProxyNode {
  const found = findProxy(mesh, name);
  if (!('candidates' in found)) return found;
  throw new FairleadError('E_PROXY_UNKNOWN', `there is no workload ${name} in this configuration`, {
    next: thereAre(found.candidates, 'workload'),
  });
}

interface CanFlags extends Loading {
  port?: number | undefined;
  host?: string | undefined;
  header?: string[] | undefined;
  'jwt-claims'?: string | undefined;
  'source-ip'?: string | undefined;
  'ext-authz'?: string | undefined;
}

const usage = (message: string, next: string): FairleadError => new FairleadError('E_USAGE', message, { next });

/** Answers `authz can`. Throws E_USAGE, E_PROXY_UNKNOWN, and what `loadMesh` throws. */
export async function canDo(
  paths: readonly string[],
  flags: CanFlags,
  { source, destination, method, path }: { source: string; destination: string; method: string; path: string },
  warn: (text: string) => void,
): Promise<Permission> {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) throw usage(`${JSON.stringify(method)} is no method`, 'Write GET, POST, …');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no path has them
  if (!path.startsWith('/') || /[\x00-\x20\x7f#]/.test(path))
    throw usage(`${JSON.stringify(path)} is no path`, 'A path begins with a slash.');
  const ip = flags['source-ip'];
  if (ip !== undefined && parseIp(ip) === undefined) throw usage(`${JSON.stringify(ip)} is no IP address`, 'Give 10.0.0.1 or 2001:db8::1.');
  const headers = (flags.header ?? []).map(headerLine);
  const claims = flags['jwt-claims'] === undefined ? undefined : claimsOf(flags['jwt-claims']);
  const { mesh } = await loadMesh(flags, paths, warn);
  const proxy = workload(mesh, destination);
  const { client, ip: own } = clientOf(mesh, source);
  const { view } = meshViews(mesh, sourceName(paths, flags.besides)).choose({ to: `${proxy.name}.${proxy.namespace}` }, undefined);
  const ports = portsOf(mesh, proxy);
  const port = flags.port ?? ports[0]?.port;
  if (port === undefined) throw usage(`no service has a port of ${destination}: there is nothing to ask`, 'Name one with --port.');
  const sourceIp = ip ?? own;
  const extAuthz = flags['ext-authz'];
  const answer = mayDo(view, proxy, {
    client,
    method,
    path,
    host: flags.host ?? ports.find((p) => p.port === port)?.host ?? proxy.name,
    headers,
    port,
    ...(claims !== undefined && { jwtClaims: claims }),
    ...(sourceIp !== undefined && { sourceIp }),
    ...((extAuthz === 'allow' || extAuthz === 'deny') && { extAuthz }),
  });
  if (flags.port !== undefined || ports.length < 2) return answer;
  const note = `asked of port ${port}; it has ${ports
    .slice(1)
    .map((p) => p.port)
    .join(', ')} as well (--port)`;
  return { ...answer, notes: [...answer.notes, note] };
}

/** The ports of a workload, with the service that leads there. */
function portsOf(mesh: Mesh, proxy: ProxyNode): { port: number; host: string }[] {
  const { instances, ingress = [], gateways } = mesh.scope(proxy);
  const known = new Map<number, string>();
  for (const { service, port, targetPort } of instances)
    if (port.protocol !== 'UDP' && !known.has(targetPort)) known.set(targetPort, service.host);
  for (const { port } of ingress) if (port.number && !known.has(port.number)) known.set(port.number, '');
  for (const { spec } of gateways)
    for (const { port } of spec.servers ?? []) if (port.number && !known.has(port.number)) known.set(port.number, '');
  return [...known].map(([port, host]) => ({ port, host: host === '' ? proxy.name : host }));
}

/** Who asks: a workload of the mesh, an account, a name of a certificate, or nobody. */
function clientOf(mesh: Mesh, source: string): { client: ClientIdentity | undefined; ip?: string } {
  if (source === 'anonymous') return { client: undefined };
  if (!source.includes('/')) {
    const found = findProxy(mesh, source);
    if (!('candidates' in found)) {
      const [ip] = found.ips;
      return { client: { uris: [identityOf(found, mesh.config)], dnsNames: dnsNamesOf(found) }, ...(ip !== undefined && { ip }) };
    }
    if (!source.includes('.'))
      throw new FairleadError('E_PROXY_UNKNOWN', `there is no workload ${source} in this configuration`, {
        next: `${thereAre(found.candidates, 'workload')} Or write NAMESPACE/ACCOUNT, spiffe://…, or anonymous.`,
      });
  }
  const client = clientIdentity(source, mesh.config.trustDomain);
  if (client === undefined) throw usage(`${JSON.stringify(source)} is no identity`, IDENTITY_HINT);
  return { client };
}
