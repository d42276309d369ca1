/** Rows that several descriptions share. */
import { formatPosition } from '../../config/resource.ts';
import type { AppliedPolicy, EndpointCount, PolicyBlock, ResourceUse, RouteUse, Shadow, SubsetDescription } from '../../describe/types.ts';
import type { Problem } from '../../errors.ts';
import { clusterText } from '../../explain/cluster-text.ts';
import type { Exposure } from '../../explain/exposures.ts';
import { percent } from '../../explain/percent.ts';
import type { Origin } from '../../explain/types.ts';
import type { Row } from './sheet.ts';

export const named = ({ kind, namespace, name }: Origin): string => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;

export function endpointText({ total, usable, unhealthy, draining, planned }: EndpointCount): string {
  if (total === 0) return planned ? 'pods that are not in these files' : 'no endpoints';
  const count = `${total} endpoint${total === 1 ? '' : 's'}`;
  const bad = [unhealthy > 0 ? `${unhealthy} unhealthy` : '', draining > 0 ? `${draining} draining` : ''].filter((part) => part !== '');
  return usable === total ? count : `${count}: ${usable} usable, ${bad.join(', ')}`;
}

/** `#1 testers   header x-tester is "yes"`, where it leads, and why nobody gets there. */
export function routeRows(route: RouteUse, level = 0): Row[] {
  const { shadow } = route;
  const conditions =
    route.conditions.length === 0 ? `every ${route.protocol === 'HTTP' ? 'request' : 'connection'}` : route.conditions.join(' and ');
  const name = route.name === '' ? '' : ` ${route.name}`;
  const rows: Row[] = [
    {
      level,
      text: `${route.protocol === 'HTTP' ? '' : `${route.protocol} `}#${route.number}${name}: ${conditions}`,
      origin: route.origin,
      ...(shadow && { style: 'dim' as const }),
    },
  ];
  if (shadow !== undefined) rows.push({ level: level + 1, word: 'never', text: shadow.why, origin: shadow.by, style: 'yellow' });
  if (route.answer !== undefined) rows.push({ level: level + 1, word: 'answer', text: route.answer });
  for (const d of route.destinations) {
    const share = route.destinations.length > 1 ? `${percent(d.share).padStart(6)}  ` : '';
    const bad = d.fails === undefined ? '' : `: requests fail, ${d.fails}`;
    const endpoints = d.endpoints === undefined || d.fails !== undefined ? '' : `  (${endpointText(d.endpoints)})`;
    rows.push({
      level: level + 1,
      word: 'to',
      text: `${share}${clusterText(d.cluster)}${endpoints}${bad}`,
      ...(bad !== '' && { style: 'red' as const }),
    });
  }
  for (const [word, text] of route.settings) rows.push({ level: level + 1, word, text });
  return rows;
}

const LEVELS: Readonly<Record<PolicyBlock['level'], string>> = {
  'subset port': ' (of the subset, for this port)',
  subset: ' (of the subset)',
  port: ' (for this port)',
  rule: '',
  mesh: ' (of the mesh)',
};

export const policyRows = (blocks: readonly PolicyBlock[], level = 0): Row[] =>
  blocks.map((b) => ({
    level,
    word: b.block,
    text: `${b.text}${b.port === undefined ? LEVELS[b.level] : ` (for port ${b.port})`}`,
    origin: b.origin,
  }));

export const subsetRows = (subsets: readonly SubsetDescription[]): Row[] =>
  subsets.flatMap((s): Row[] => {
    const labels = Object.entries(s.labels).map(([k, v]) => `${k}=${v}`);
    const [first] = s.endpoints;
    const same = s.endpoints.every((e) => e.total === first?.total && e.usable === first.usable);
    const counts = same
      ? first === undefined
        ? ''
        : endpointText(first)
      : s.endpoints.map((e) => `${e.port}: ${endpointText(e)}`).join('; ');
    const none = s.endpoints.length > 0 && s.endpoints.every((e) => e.usable === 0 && !e.planned);
    return [
      {
        word: s.name,
        text: `${labels.join(',') || 'all'}  ${counts}${s.usedBy.length === 0 ? ', no route uses it' : ''}`,
        origin: s.origin,
        ...(none && { style: 'yellow' as const }),
      },
      ...policyRows(s.trafficPolicy, 1),
    ];
  });

export const shadowRow = ({ why, by }: Shadow, level = 1): Row => ({ level, text: why, origin: by, style: 'yellow' });

const STATES: Readonly<Record<ResourceUse['state'], string>> = { acts: 'acts', partly: 'acts in part', ignored: 'ignored' };

export const useRows = (uses: readonly ResourceUse[]): Row[] =>
  uses.flatMap((use): Row[] => [
    {
      text: `${named(use.origin)}: ${STATES[use.state]}`,
      origin: use.origin,
      placeOnly: true,
      ...(use.state === 'ignored' && { style: 'yellow' as const }),
    },
    ...use.shadows.map((s) => shadowRow(s)),
  ]);

export const appliedRows = (policies: readonly AppliedPolicy[]): Row[] =>
  policies.flatMap((p): Row[] => [
    {
      text: `${named(p.origin)}: ${p.summary} (${p.scope === 'workload' ? 'by labels' : `the whole ${p.scope}`})`,
      origin: p.origin,
      placeOnly: true,
    },
    ...(p.rules ?? []).map((r, i): Row => ({ level: 1, word: `rule ${i + 1}`, text: r.text, origin: r.origin, placeOnly: true })),
    ...(p.workloads === undefined ? [] : [{ level: 1, word: 'only', text: p.workloads.join(', ') }]),
    ...(p.shadow === undefined ? [] : [shadowRow(p.shadow)]),
    ...(p.today === undefined ? [] : [{ level: 1, word: 'today', text: p.today, style: 'yellow' as const }]),
  ]);

/** What a gateway serves, one row each. */
export const exposureRows = (exposes: readonly (Exposure & { readonly gateway?: string })[]): Row[] =>
  exposes.map((e) => {
    const to = e.destinations.map((d) => `${e.destinations.length > 1 ? `${percent(d.share)} ` : ''}${clusterText(d.cluster)}`).join(', ');
    const more = e.conditions.filter((c) => !c.startsWith('path '));
    const scheme = e.protocol.toLowerCase();
    const what = `${scheme}://${e.host}:${e.port}${e.path}${more.length > 0 ? ` where ${more.join(' and ')}` : ''}`;
    return { text: `${what} → ${e.answer ?? to}${e.gateway === undefined ? '' : `  (${e.gateway})`}`, origin: e.origin };
  });

/** Each once, with its place; errors before warnings. */
export const problemRows = (problems: readonly Problem[]): Row[] =>
  [...problems]
    .sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'))
    .map((p) => ({
      word: p.severity,
      text: `${p.message}${p.position === undefined ? '' : ` (${formatPosition(p.position)})`}`,
      style: p.severity === 'error' ? ('red' as const) : ('yellow' as const),
    }));

/** `host:port in A, B`: the proxies of each virtual host together. */
export function placesText(at: readonly string[]): string {
  const byHost = Map.groupBy(
    at.map((text) => text.split(' in ')),
    ([host]) => host,
  );
  const groups = [...byHost].map(
    ([host, of]) =>
      `${host} in ${someNames(
        of.map(([, proxy]) => proxy ?? ''),
        3,
      )}`,
  );
  return groups.length <= 4 ? groups.join('; ') : `${groups.slice(0, 4).join('; ')}; and ${groups.length - 4} more`;
}

/** As many names as can be read. */
export function someNames(names: readonly string[], most = 8): string {
  if (names.length === 0) return 'none';
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
