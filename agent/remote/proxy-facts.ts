/** What the proxy of a pod says of itself: a Fairlead agent by its API, any other Envoy by its admin API. */
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { AgentStatus, ProxyStatus } from '../status.ts';
import type { PodClient } from './pod-client.ts';

/** Whether a proxy has what its control plane wants it to have. */
export type ProxySyncState = ProxyStatus['sync'] | 'STATIC';

export interface RemoteFacts {
  readonly kind: 'fairlead' | 'envoy';
  /** `envoy-1.40.0`, `embedded-0.1.0`; of an Istio proxy also Istio's version. */
  readonly version: string;
  /** Envoy's own word: LIVE, DRAINING, PRE_INITIALIZING, INITIALIZING; of an agent its engine's. */
  readonly state: string;
  /** Who tells it its configuration; undefined where it does not say. */
  readonly controlPlane: string | undefined;
  readonly sync: ProxySyncState;
  /** Milliseconds since 1970 of the last change; undefined where it does not say. */
  readonly since: number | undefined;
  /** Why its newest configuration was refused. */
  readonly problems: readonly Problem[];
  /** The names of its proxies, where an agent has several. */
  readonly proxies: readonly ProxyStatus[];
}

/** Throws E_POD_UNREACHABLE when what answers is neither, and what the client throws. */
export async function remoteFacts(client: PodClient): Promise<RemoteFacts> {
  const status = await agentStatus(client);
  return status === undefined ? envoyFacts(client) : agentFacts(status);
}

/** The status of a Fairlead agent; undefined: it is another program. */
export async function agentStatus(client: PodClient): Promise<AgentStatus | undefined> {
  const { status, body } = await client.ask('GET', '/fairlead/v1/status');
  if (status !== 200) return undefined;
  try {
    const json = JSON.parse(body.toString('utf8')) as AgentStatus;
    return typeof json.engine === 'object' && Array.isArray(json.proxies) ? json : undefined;
  } catch {
    return undefined;
  }
}

const WORST: readonly ProxyStatus['sync'][] = ['ERROR', 'NOT SENT', 'STARTING', 'STALE', 'SYNCED'];

function agentFacts({ engine, config, proxies }: AgentStatus): RemoteFacts {
  const refused = config.state === 'refused' ? config.problems.filter(({ severity }) => severity === 'error') : [];
  const worst = WORST.find((sync) => proxies.some((p) => p.sync === sync)) ?? (config.state === 'loading' ? 'STARTING' : 'SYNCED');
  return {
    kind: 'fairlead',
    version: `${engine.engine}-${engine.engineVersion}`,
    state: engine.state,
    controlPlane: 'fairlead-agent',
    sync: worst,
    since: proxies.length === 0 ? config.at : Math.max(...proxies.map(({ since }) => since)),
    problems: [...refused, ...proxies.flatMap((p) => p.problems)],
    proxies,
  };
}

interface ServerInfo {
  version?: string;
  state?: string;
  node?: { id?: string; metadata?: { ISTIO_VERSION?: string } };
}

interface StatsJson {
  stats?: { name?: string; value?: number | string }[];
}

/** Istio's proxies tell few stats: these are among them. Whether Envoy has a stream to its control plane is in the first that is there. */
const STATS = [
  'control_plane\\.(connected_state|identifier)',
  'cluster\\.xds-grpc\\.upstream_rq_active',
  '(cluster_manager\\.cds|listener_manager\\.lds)\\.(update_success|update_rejected|update_time)',
];

/** https://www.envoyproxy.io/docs/envoy/latest/operations/admin */
async function envoyFacts(client: PodClient): Promise<RemoteFacts> {
  const info = await client.getJson<ServerInfo>('/server_info');
  if (typeof info?.version !== 'string')
    throw new FairleadError('E_POD_UNREACHABLE', `what answers at ${client.address} is neither an agent of Fairlead nor an Envoy`, {
      next: 'See whether the admin API of its proxy is on another port: --proxy-admin-port.',
    });
  const filter = encodeURIComponent(`^(${STATS.join('|')})$`);
  const { stats = [] } = await client.getJson<StatsJson>(`/stats?format=json&filter=${filter}`);
  const value = (name: string): number | string | undefined => stats.find((s) => s.name === name)?.value;
  const stream = value('control_plane.connected_state') ?? value('cluster.xds-grpc.upstream_rq_active');
  const [sent, rejected] = ['update_success', 'update_rejected'].map((what) =>
    ['cluster_manager.cds', 'listener_manager.lds'].some((type) => Number(value(`${type}.${what}`) ?? 0) > 0),
  );
  const problems = rejected ? await refusals(client) : [];
  const times = ['cluster_manager.cds', 'listener_manager.lds'].map((type) => Number(value(`${type}.update_time`) ?? 0));
  const since = Math.max(...times);
  // 1.40.0 of `<hash>/1.40.0/Clean/RELEASE/BoringSSL`.
  const envoy = info.version.split('/')[1] ?? info.version;
  const istio = info.node?.metadata?.ISTIO_VERSION;
  return {
    kind: 'envoy',
    version: istio === undefined ? `envoy-${envoy}` : `istio-${istio} (envoy-${envoy})`,
    state: info.state ?? '',
    controlPlane: controlPlaneOf(value('control_plane.identifier')),
    sync: problems.length > 0 ? 'ERROR' : stream === undefined ? 'STATIC' : Number(stream) === 0 ? 'STALE' : sent ? 'SYNCED' : 'NOT SENT',
    since: since > 0 ? since : undefined,
    problems,
    proxies: [],
  };
}

/** istiod says who it is in JSON: `{"Component":"istiod","ID":"istiod-7c9d-x2x","Info":{…}}`. */
function controlPlaneOf(identifier: number | string | undefined): string | undefined {
  if (typeof identifier !== 'string' || identifier === '') return undefined;
  try {
    return (JSON.parse(identifier) as { ID?: string }).ID ?? identifier;
  } catch {
    return identifier;
  }
}

interface RefusedJson {
  configs?: { name?: string; cluster?: { name?: string }; error_state?: { details?: string; last_update_attempt?: string } }[];
}

/** What is refused now; the counters tell only that something once was. */
async function refusals(client: PodClient): Promise<Problem[]> {
  const found: Problem[] = [];
  for (const [resource, kind, mask] of [
    ['dynamic_listeners', 'listener', 'name,error_state'],
    ['dynamic_active_clusters', 'cluster', 'cluster.name,error_state'],
    ['dynamic_warming_clusters', 'cluster', 'cluster.name,error_state'],
  ] as const) {
    const { status, body } = await client.ask('GET', `/config_dump?resource=${resource}&mask=${mask}`);
    if (status !== 200) continue;
    for (const one of (JSON.parse(body.toString('utf8')) as RefusedJson).configs ?? []) {
      const details = one.error_state?.details;
      if (details === undefined) continue;
      const name = one.name ?? one.cluster?.name ?? '';
      // Envoy tells a listener that it never had once with its name and once without.
      if (name === '' && found.some(({ message }) => message.endsWith(details))) continue;
      found.push({ severity: 'error', rule: 'envoy/refused', message: `${kind} ${name}: ${details}` });
    }
  }
  return found;
}
