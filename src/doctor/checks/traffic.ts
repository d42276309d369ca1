/** What the data plane serves and reaches, and what it tells of that. */
import type { ClusterFacts, MeshProbes } from '../probes.ts';
import type { Check } from '../types.ts';

/** More are not tried: a large mesh has tens of thousands. */
const MOST_CONNECTIONS = 200;
const AT_ONCE = 20;
const MOST_DETAILS = 12;

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
const some = (details: readonly string[]): string[] =>
  details.length <= MOST_DETAILS ? [...details] : [...details.slice(0, MOST_DETAILS), `and ${details.length - MOST_DETAILS} more`];

/** Clusters of services that are called: `outbound|80|v1|reviews…`. */
const isOutbound = ({ name }: ClusterFacts): boolean => name.startsWith('outbound|');

const shown = (cluster: string): string => {
  const [, port, subset, host] = cluster.split('|');
  return `${host}:${port}${subset === '' ? '' : ` subset ${subset}`}`;
};

/** `work` for each, a few at a time. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) out.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(work))));
  return out;
}

export const trafficChecks: readonly Check<MeshProbes>[] = [
  {
    id: 'listeners/bound',
    what: 'every port that proxies listen on takes connections',
    why: 'Clients that are told of a port which nobody listens on get nothing but refused connections.',
    severity: 'error',
    next: 'See what holds the port (`ss -ltnp`), and `fairlead proxy-status` for what the proxy said.',
    after: ['config/applied'],
    async run(probes) {
      const { proxies } = await probes.status();
      const ports = proxies.flatMap((p) => p.listening.map((l) => ({ ...l, proxy: p.name })));
      if (ports.length === 0) return { state: 'failed', severity: 'warning', message: 'no proxy of this node listens on any port' };
      const tried = await each(ports, async (p) => ({ ...p, why: await probes.connect(p.address) }));
      const bad = tried.filter((t) => t.why !== undefined);
      if (bad.length === 0) return { state: 'ok', message: plural(ports.length, 'port') };
      return {
        state: 'failed',
        message: `${bad.length} of ${ports.length} do not`,
        details: some(bad.map((b) => `${b.address} (${b.purpose} of ${b.proxy}): ${b.why}`)),
      };
    },
  },
  {
    id: 'routes/present',
    what: 'proxies have routes',
    why: 'Without routes each request ends in 404, or as if there were no mesh.',
    severity: 'warning',
    next: '`fairlead explain --all` lists what a proxy serves; a Gateway needs a VirtualService that names it.',
    after: ['config/applied'],
    async run({ status }) {
      const { proxies } = await status();
      const bare = proxies.filter((p) => p.listening.length > 0 && p.resources.routes === 0);
      const total = proxies.reduce((n, p) => n + p.resources.routes, 0);
      if (bare.length === 0) return { state: 'ok', message: `${plural(total, 'route configuration')}` };
      return { state: 'failed', message: `${bare.map((p) => p.name).join(', ')} ${bare.length === 1 ? 'has' : 'have'} none` };
    },
  },
  {
    id: 'clusters/present',
    what: 'proxies know services to call',
    why: 'Requests can only be sent to what the configuration knows.',
    severity: 'warning',
    next: 'Is the folder the right one, and do a Sidecar or exportTo hide everything? `fairlead describe workload NAME` tells.',
    after: ['config/applied'],
    async run({ clusters }) {
      const all = await clusters();
      const services = new Set(all.filter(isOutbound).map((c) => c.name.split('|')[3]));
      if (services.size > 0) return { state: 'ok', message: `${plural(services.size, 'service')}, ${plural(all.length, 'cluster')}` };
      return { state: 'failed', message: 'there is no cluster of any service' };
    },
  },
  {
    id: 'endpoints/healthy',
    what: 'services have endpoints that are healthy',
    why: 'Requests for a service without any end in 503.',
    severity: 'error',
    next: 'Do the selector and the labels of the WorkloadEntries (or pods) agree? `fairlead describe service NAME` counts them.',
    after: ['clusters/present'],
    async run({ clusters }) {
      const all = distinct((await clusters()).filter(isOutbound));
      const empty = all.filter((c) => c.hosts.length === 0);
      const sick = all.filter((c) => c.hosts.length > 0 && !c.hosts.some((h) => h.healthy));
      const partly = all.filter((c) => c.hosts.some((h) => h.healthy) && c.hosts.some((h) => !h.healthy));
      if (empty.length + sick.length + partly.length === 0)
        return { state: 'ok', message: plural(new Set(all.flatMap((c) => c.hosts.map((h) => h.address))).size, 'endpoint') };
      const unwell = ({ hosts }: ClusterFacts): string =>
        hosts
          .filter((h) => !h.healthy)
          .map((h) => `${h.address} ${h.why}`)
          .join(', ');
      const details = [
        ...sick.map((c) => `${shown(c.name)}: none is healthy: ${unwell(c)}`),
        ...empty.map((c) => `${shown(c.name)}: no endpoints`),
        ...partly.map((c) => `${shown(c.name)}: ${unwell(c)}`),
      ];
      const lost = sick.length + empty.length;
      if (lost === 0)
        return {
          state: 'failed',
          severity: 'warning',
          message: `${plural(partly.length, 'cluster')} with endpoints that are left out`,
          details: some(details),
        };
      return {
        state: 'failed',
        severity: lost === all.length || sick.length > 0 ? 'error' : 'warning',
        message: `${lost} of ${plural(all.length, 'cluster')} cannot serve a request`,
        details: some(details),
      };
    },
  },
  {
    id: 'upstreams/reachable',
    what: 'endpoints take connections from this node',
    why: 'An endpoint that nobody can connect to costs each request that is sent there a retry, or its life.',
    severity: 'error',
    next: 'Is the service running there, and does a firewall lie between? Without its own health check a dead WorkloadEntry stays an endpoint.',
    after: ['clusters/present'],
    async run(probes) {
      const all = (await probes.clusters()).filter(isOutbound);
      const users = new Map<string, string>();
      for (const { name, hosts } of all) for (const { address } of hosts) if (!users.has(address)) users.set(address, shown(name));
      const addresses = [...users.keys()];
      if (addresses.length === 0) return { state: 'nothing', message: 'there are no endpoints' };
      const tried = addresses.slice(0, MOST_CONNECTIONS);
      const results = await each(tried, async (address) => ({ address, why: await probes.connect(address) }));
      const bad = results.filter((r) => r.why !== undefined);
      const left = addresses.length > tried.length ? `; ${addresses.length - tried.length} more were not tried` : '';
      if (bad.length === 0) return { state: 'ok', message: `${plural(tried.length, 'address').replace('addresss', 'addresses')}${left}` };
      const severity = bad.length === results.length ? 'error' : 'warning';
      return {
        state: 'failed',
        severity,
        message: `${bad.length} of ${results.length} do not${left}`,
        details: some(bad.map((b) => `${b.address} of ${users.get(b.address)}: ${b.why}`)),
      };
    },
  },
  {
    id: 'telemetry/metrics',
    what: 'the agent’s metrics can be read',
    why: 'Dashboards, alerts and the gates of a canary read them.',
    severity: 'warning',
    next: 'Is the proxy busy or gone? `curl` the agent’s /stats/prometheus to see what it says.',
    after: ['agent/reachable'],
    async run({ metrics }) {
      const series = await metrics();
      return series > 0
        ? { state: 'ok', message: plural(series, 'series').replace('seriess', 'series') }
        : { state: 'failed', message: 'there are none' };
    },
  },
  {
    id: 'telemetry/access-logs',
    what: 'access logs can be written',
    why: 'A log that cannot be opened is lost, and Envoy refuses the listener that asks for it.',
    severity: 'warning',
    next: 'Make the folder, and let the user who runs the proxy write there.',
    after: ['config/applied'],
    async run({ accessLogs }) {
      const logs = await accessLogs();
      if (logs.length === 0) return { state: 'nothing', message: 'no access log goes to a file' };
      const bad = logs.filter((l) => l.unwritable !== undefined);
      if (bad.length === 0) return { state: 'ok', message: logs.map((l) => l.path).join(', ') };
      return { state: 'failed', message: `${bad.length} of ${logs.length} cannot`, details: bad.map((l) => `${l.path}: ${l.unwritable}`) };
    },
  },
];

/** The same cluster in several proxies is one; the worse of what they say of a host counts. */
function distinct(clusters: readonly ClusterFacts[]): ClusterFacts[] {
  return [...Map.groupBy(clusters, (c) => c.name).values()].map((same) => {
    const hosts = Map.groupBy(
      same.flatMap((c) => c.hosts),
      (h) => h.address,
    );
    return { ...same[0]!, hosts: [...hosts.values()].map((of) => of.find((h) => !h.healthy) ?? of[0]!) };
  });
}
