import type { FieldPath, Resource } from '../config/resource.ts';
import { visitHttpDestinations, visitLayer4Destinations } from './destinations.ts';
import { completeHost } from './host-match.ts';
import { labelOf } from './labels.ts';
import { getOrMake } from './memo.ts';
import { problemAt, type Report } from './problem.ts';
import type { VirtualServiceView, Workload } from './types.ts';

/** A host that a VirtualService sends something to. */
interface Named {
  /** As written. */
  host: string;
  complete: string;
  resource: Resource;
  path: FieldPath;
}

const destinations = new WeakMap<VirtualServiceView, readonly Named[]>();

function destinationsOf(view: VirtualServiceView, domain: string): readonly Named[] {
  const out: Named[] = [];
  const add = (host: string, resource: Resource, path: FieldPath): void => {
    out.push({ host, complete: completeHost(host, resource.metadata.namespace, domain), resource, path });
  };
  view.spec.http?.forEach((route, index) => {
    const origin = view.httpOrigins[index];
    visitHttpDestinations(route, (d, path) =>
      add(d.host, origin?.resource ?? view.resource, [...(origin?.path ?? ['spec', 'http', index]), ...path]),
    );
  });
  visitLayer4Destinations(view.spec, (d, path) => add(d.host, view.resource, path));
  return out;
}

/** Destinations whose host no service has: requests get 503 (NC). The domain is the same for all meshes that a view is part of. */
export function checkDestinations(
  views: readonly VirtualServiceView[],
  known: ReadonlyMap<string, unknown>,
  domain: string,
  report: Report,
): void {
  for (const view of views) {
    for (const { host, complete, resource, path } of getOrMake(destinations, view, () => destinationsOf(view, domain))) {
      if (known.has(complete)) continue;
      report(
        problemAt(resource, [...path, 'host'], {
          severity: 'warning',
          rule: 'destination/unknown-host',
          message: `no service ${complete}: what is sent there is answered 503`,
          hint: host.includes('.')
            ? 'declare it with a ServiceEntry'
            : `a name without dots is looked up in the namespace of the rule, ${resource.metadata.namespace}`,
        }),
      );
    }
  }
}

/** Which VirtualService had a host first, for those who see it. */
interface Owners {
  /** The first that anybody sees, and the first that everybody does. */
  any: VirtualServiceView | undefined;
  everybody: VirtualServiceView | undefined;
  byNamespace: Map<string, VirtualServiceView>;
}

/** The older VirtualService of a host that some proxy sees beside `view`; `view` is entered as well. */
function olderOwner(owners: Owners, view: VirtualServiceView): VirtualServiceView | undefined {
  const { exportTo } = view;
  if (exportTo[0] === '~') return undefined;
  if (exportTo[0] === '*') {
    const older = owners.any;
    owners.any ??= view;
    owners.everybody ??= view;
    return older;
  }
  const older = owners.everybody ?? exportTo.map((namespace) => owners.byNamespace.get(namespace)).find((v) => v !== undefined);
  owners.any ??= view;
  for (const namespace of exportTo) if (!owners.byNamespace.has(namespace)) owners.byNamespace.set(namespace, view);
  return older;
}

/** On sidecars one VirtualService has a host; the younger ones of the same host are not merged with it. */
export function checkDuplicateHosts(views: readonly VirtualServiceView[], report: Report): void {
  const byHost = new Map<string, Owners>();
  for (const view of views) {
    if (!view.gateways.includes('mesh')) continue;
    for (const [index, host] of view.hosts.entries()) {
      const owners = getOrMake<string, Owners>(byHost, host, () => ({ any: undefined, everybody: undefined, byNamespace: new Map() }));
      const first = olderOwner(owners, view);
      if (first === undefined) continue;
      const { namespace, name } = first.resource.metadata;
      report(
        problemAt(view.resource, ['spec', 'hosts', index], {
          severity: 'warning',
          rule: 'virtual-service/duplicate-host',
          message: `sidecars route host ${host} by VirtualService ${namespace}/${name} already; the routes here are not merged with it`,
          hint: 'put the routes into one VirtualService, or use delegates',
        }),
      );
    }
  }
}

/** The explicit proxy port that a workload's annotation asks for. */
export const HTTP_PROXY_PORT = 'fairlead.dev/http-proxy-port';
const INTERCEPTION_MODE = 'sidecar.istio.io/interceptionMode';

/** Annotations by which workloads set up their proxies. */
export function checkAnnotations(workloads: readonly Workload[], report: Report): void {
  for (const { annotations, resource } of workloads) {
    if (resource === undefined) continue;
    const bad = (key: string, message: string): void =>
      report(problemAt(resource, ['metadata', 'annotations', key], { severity: 'error', rule: 'workload/annotation', message }));
    const port = labelOf(annotations, HTTP_PROXY_PORT);
    if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
      bad(HTTP_PROXY_PORT, `${HTTP_PROXY_PORT} is a port from 1 to 65535, not ${JSON.stringify(port)}`);
    }
    const mode = labelOf(annotations, INTERCEPTION_MODE);
    if (mode !== undefined && !['NONE', 'REDIRECT', 'TPROXY'].includes(mode)) {
      bad(INTERCEPTION_MODE, `${INTERCEPTION_MODE} is NONE, REDIRECT or TPROXY, not ${JSON.stringify(mode)}`);
    }
  }
}
