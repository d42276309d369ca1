import type { HTTPRoute, HTTPRouteDestination } from '../../config/kinds/networking.ts';
import { formatPosition, type Position } from '../../config/resource.ts';
import type { HostRoutes } from '../../edit/routes/find-routes.ts';
import { formatTable } from '../table.ts';
import { describeMatches } from './describe-match.ts';

/** One route as `route list` gives it. */
export interface RouteRow {
  hosts: readonly string[];
  gateways: readonly string[];
  /** `namespace/name`. */
  virtualService: string;
  number: number;
  name: string | undefined;
  match: readonly string[];
  /** What it does with requests: destinations with shares, or `redirect …`. */
  action: readonly string[];
  /** What else it does: timeout, retries, faults, … */
  also: readonly string[];
  position: Position;
}

export function routeRows(found: readonly HostRoutes[]): RouteRow[] {
  return found.flatMap(({ resource, hosts, gateways, entries }) =>
    entries.map(({ number, route, parent, position }) => ({
      hosts,
      gateways,
      virtualService: `${resource.metadata.namespace}/${resource.metadata.name}`,
      number,
      name: route.name,
      match: [...describeMatches(parent?.route.match), ...describeMatches(route.match)].filter(
        (m, i, all) => m !== 'any request' || all.length === 1 || (i > 0 && all.every((x) => x === m) && i === all.length - 1),
      ),
      action: actionOf(route),
      also: alsoOf(route),
      position,
    })),
  );
}

const nameOf = ({ destination: { host, subset, port } }: HTTPRouteDestination): string =>
  `${host}${port?.number ? `:${port.number}` : ''}${subset ? `/${subset}` : ''}`;

/** Shares in percent of all weights, as requests are shared. */
function actionOf(route: HTTPRoute): string[] {
  const { redirect, directResponse, delegate, route: to = [] } = route;
  if (redirect)
    return [
      `redirect ${redirect.redirectCode ?? 301} ${redirect.scheme ? `${redirect.scheme}://` : ''}${redirect.authority ?? ''}${redirect.uri ?? redirect.prefixRewrite ?? ''}`.trim(),
    ];
  if (directResponse) return [`answer ${directResponse.status}`];
  if (delegate && to.length === 0)
    return [`delegate ${delegate.namespace ? `${delegate.namespace}/` : ''}${delegate.name ?? ''} (not there)`];
  const sum = to.reduce((total, d) => total + (d.weight ?? 0), 0);
  return to.map((d) => (to.length === 1 || sum === 0 ? nameOf(d) : `${nameOf(d)} ${round((100 * (d.weight ?? 0)) / sum)}%`));
}

const round = (percent: number): number => Math.round(percent * 100) / 100;

function alsoOf(route: HTTPRoute): string[] {
  const { timeout, retries, fault, mirror, mirrors, rewrite, headers, corsPolicy } = route;
  const share = (percentage: { value?: number } | undefined): string => (percentage?.value === undefined ? '' : ` ${percentage.value}%`);
  return [
    ...(rewrite ? [`rewrite ${rewrite.uri ?? rewrite.uriRegexRewrite?.rewrite ?? rewrite.authority ?? ''}`.trim()] : []),
    ...(timeout ? [`timeout ${timeout}`] : []),
    ...(retries ? [retries.attempts === 0 ? 'no retries' : `retries ${retries.attempts ?? 0}`] : []),
    ...(fault?.delay ? [`delay ${fault.delay.fixedDelay ?? ''}${share(fault.delay.percentage)}`] : []),
    ...(fault?.abort ? [`abort ${fault.abort.httpStatus ?? fault.abort.grpcStatus ?? ''}${share(fault.abort.percentage)}`] : []),
    ...(mirror ? [`mirror ${mirror.host}${mirror.subset ? `/${mirror.subset}` : ''}`] : []),
    ...(mirrors ?? []).map(
      (m) => `mirror ${m.destination.host}${m.destination.subset ? `/${m.destination.subset}` : ''}${share(m.percentage)}`,
    ),
    ...(headers ? ['headers'] : []),
    ...(corsPolicy ? ['cors'] : []),
  ];
}

/** The table of `route list`; hosts are said once. */
export function formatRoutes(rows: readonly RouteRow[]): string {
  let last = '';
  const cells = rows.map((row) => {
    const hosts = row.hosts.join(', ') + (row.gateways.length === 1 && row.gateways[0] === 'mesh' ? '' : ` (${row.gateways.join(', ')})`);
    const shown = hosts === last ? '' : hosts;
    last = hosts;
    return [
      shown,
      `${row.number}`,
      row.name ?? '-',
      row.match.join(' or '),
      row.action.join(', '),
      row.also.join(', ') || '-',
      formatPosition(row.position),
    ];
  });
  return formatTable({ columns: ['HOSTS', '#', 'ROUTE', 'MATCH', 'TO', 'ALSO', 'WHERE'], rows: cells });
}
