/** The proxies of a cluster as people read them: istioctl's columns of proxy-status, then ours. */
import { age } from './agent-status.ts';
import { columns } from './columns.ts';

/** What is shown of one proxy of a cluster; field names are those of the JSON. */
export interface ShownClusterProxy {
  /** `POD.NAMESPACE`. */
  readonly name: string;
  readonly kind?: string | undefined;
  readonly version?: string | undefined;
  readonly state?: string | undefined;
  readonly controlPlane?: string | undefined;
  /** UNREACHABLE: it could not be asked. */
  readonly sync: string;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly problems: readonly { readonly message: string }[];
  readonly error?: { readonly code: string; readonly message: string; readonly next: string | undefined } | undefined;
}

export interface ShownClusterProxies {
  readonly context: string;
  readonly proxies: readonly ShownClusterProxy[];
  readonly notes: readonly string[];
}

/** @param now milliseconds since 1970 */
export function clusterProxiesText({ context, proxies }: ShownClusterProxies, now: number): string {
  if (proxies.length === 0) return `no pod of ${context} has a proxy`;
  const rows = proxies.map((p) => [
    p.name,
    context,
    p.controlPlane ?? '-',
    p.version ?? '-',
    p.sync,
    p.since === undefined ? '-' : age(p.since, now),
  ]);
  const table = columns([['NAME', 'CLUSTER', 'ISTIOD', 'VERSION', 'SYNC', 'SINCE'], ...rows]);
  const more = proxies.flatMap(({ name, error, problems }) => [
    ...(error === undefined ? [] : [`${name}: ${error.message}`]),
    ...problems.map(({ message }) => `${name}: refused: ${message}`),
  ]);
  return [table, ...(more.length > 0 ? ['', ...more] : [])].join('\n');
}
