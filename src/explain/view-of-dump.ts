import type { NodeJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { Dump } from '../envoy/dump/read-dump.ts';
import { bootstrapOf, clustersOf, endpointsOf, listenersOf, routesOf } from '../envoy/dump/resources.ts';
import type { Locator, ProxyView } from './view.ts';

/** The view of a dump: of Fairlead's, Istio's or any Envoy's. Throws E_DUMP_INVALID when it has no listeners, routes or clusters. */
export function viewOfDump(dump: Dump, locator?: Locator): ProxyView {
  const node = dump.sections.bootstrap === undefined ? undefined : bootstrapOf(dump).node;
  const [type] = (node?.id ?? '').split('~');
  return {
    proxy: proxyName(node) ?? dump.source,
    source: dump.source,
    type: type === 'sidecar' || type === 'router' ? type : undefined,
    listeners: listenersOf(dump),
    // Routes that stand inside listeners need no section of their own.
    routes: dump.sections.routes === undefined ? [] : routesOf(dump),
    clusters: clustersOf(dump),
    endpoints: dump.sections.endpoints === undefined ? [] : endpointsOf(dump),
    endpointsKnown: dump.sections.endpoints !== undefined,
    extensions: extensionsOf(dump),
    ...(locator !== undefined && { locator }),
  };
}

/** Istio's and Fairlead's proxies say their workload; others have an id at best. */
function proxyName(node: NodeJson | undefined): string | undefined {
  const { NAME, NAMESPACE } = node?.metadata ?? {};
  if (typeof NAME === 'string' && typeof NAMESPACE === 'string') return `${NAME}.${NAMESPACE}`;
  return node?.id === undefined || node.id === '' ? undefined : node.id;
}

/** Filters that came by ECDS: their configuration by name. */
function extensionsOf(dump: Dump): ReadonlyMap<string, unknown> {
  const filters = dump.sections.ecds?.ecdsFilters ?? [];
  return new Map(
    filters.flatMap(({ ecdsFilter }) => {
      const { name, typedConfig } = (ecdsFilter ?? {}) as { name?: string; typedConfig?: unknown };
      return name === undefined ? [] : [[name, typedConfig] as const];
    }),
  );
}
