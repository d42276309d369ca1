import { type Dump, section } from '../../envoy/dump/read-dump.ts';
import { bootstrapOf, clustersOf, endpointsOf, listenersOf, routesOf } from '../../envoy/dump/resources.ts';
import { formatTable } from '../table.ts';
import { bootstrapSummary } from './bootstrap.ts';
import { clusterTable } from './cluster.ts';
import { edsTable } from './endpoint.ts';
import { namedListenerTable } from './listener.ts';
import { routeTable } from './route.ts';
import { NO_SECRETS, secretRows, secretTable } from './secret.ts';

/**
 * `proxy-config all`: bootstrap, clusters, listeners, routes, secrets and endpoints, one under the other. Throws E_DUMP_INVALID when the
 * dump lacks one of them.
 *
 * @param headers a title line before each
 */
export function allText(dump: Dump, headers: boolean, now: Date): string {
  const secrets = secretRows(section(dump, 'secrets'), now);
  const parts: [title: string, text: string][] = [
    ['BOOTSTRAP', bootstrapSummary(bootstrapOf(dump))],
    ['CLUSTERS', formatTable(clusterTable(clustersOf(dump)))],
    ['LISTENERS', formatTable(namedListenerTable(listenersOf(dump)))],
    ['ROUTES', formatTable(routeTable(routesOf(dump)))],
    ['SECRETS', secrets.length === 0 ? `${NO_SECRETS}\n` : formatTable(secretTable(secrets))],
    ['ENDPOINTS', formatTable(edsTable(endpointsOf(dump)))],
  ];
  return parts.map(([title, text]) => (headers ? `${title}\n${text}` : text)).join('\n');
}
