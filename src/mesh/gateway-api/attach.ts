import type { Listener, ParentReference } from '../../config/kinds/gateway-api.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { intersectHosts } from '../host-match.ts';
import { matchesSelector } from '../labels.ts';
import { type Fault, fault } from './conditions.ts';
import type { ApiListener } from './listeners.ts';
import { GATEWAY_API, type Route, type RouteKind } from './objects.ts';

/** A listener that a route is attached to, with the hosts that both have. */
export interface Attachment {
  readonly listener: ApiListener;
  readonly hosts: readonly string[];
}

/** What came of one parentRef that names a Gateway. */
export interface Attached {
  readonly attachments: readonly Attachment[];
  /** Why there are none. */
  readonly fault: Fault | undefined;
}

/** Hosts that a route and a listener have in common; protocols without names have one, `*`. */
function commonHosts(kind: RouteKind, hostnames: readonly string[] | undefined, { hostname }: ApiListener): string[] {
  if (kind === 'TCPRoute' || !hostnames?.length) return [hostname];
  return intersectHosts(
    hostnames.map((h) => h.toLowerCase()),
    [hostname],
  );
}

function allowsNamespace(listener: ApiListener, namespace: string, namespaces: ReadonlyMap<string, Resource>): boolean {
  const { from = 'Same', selector } =
    listener.spec.allowedRoutes?.namespaces ?? ({} as NonNullable<NonNullable<Listener['allowedRoutes']>['namespaces']>);
  if (from === 'All') return true;
  if (from === 'Same') return namespace === listener.gateway.metadata.namespace;
  // Kubernetes gives every namespace its name as a label.
  const labels = { ...namespaces.get(namespace)?.metadata.labels, 'kubernetes.io/metadata.name': namespace };
  return selector !== undefined && matchesSelector(selector, labels);
}

/**
 * Attaches a route to those listeners of a Gateway that a parentRef means and that let it.
 *
 * @param listeners of the Gateway
 * @param path where the parentRef is
 */
export function attach(
  route: Resource<Route>,
  ref: ParentReference,
  listeners: readonly ApiListener[],
  path: FieldPath,
  namespaces: ReadonlyMap<string, Resource>,
): Attached {
  const kind = route.kind as RouteKind;
  const none = (reason: string, message: string, at: FieldPath = path): Attached => ({
    attachments: [],
    fault: fault('Accepted', reason, at, message),
  });
  const meant = listeners.filter(
    ({ spec }) => (!ref.sectionName || spec.name === ref.sectionName) && (!ref.port || spec.port === ref.port),
  );
  const [first] = listeners;
  const gateway = first === undefined ? ref.name : `${first.gateway.metadata.namespace}/${first.gateway.metadata.name}`;
  if (meant.length === 0) {
    const what = ref.sectionName
      ? `listener ${ref.sectionName}${ref.port ? ` on port ${ref.port}` : ''}`
      : ref.port
        ? `listener on port ${ref.port}`
        : 'listener';
    const names = listeners.map(({ spec }) => `${spec.name} (${spec.port})`).join(', ');
    return none('NoMatchingParent', `Gateway ${gateway} has no ${what}${names && `; it has ${names}`}`, [
      ...path,
      ref.sectionName ? 'sectionName' : ref.port ? 'port' : 'name',
    ]);
  }
  const { namespace } = route.metadata;
  const open = meant.filter((l) => l.kinds.includes(kind) && allowsNamespace(l, namespace, namespaces));
  if (open.length === 0) {
    const byKind = !meant.some((l) => l.kinds.includes(kind));
    const why = byKind ? `routes of kind ${kind}` : `routes of namespace ${namespace}: see allowedRoutes.namespaces`;
    return none('NotAllowedByListeners', `no listener of Gateway ${gateway} that is meant takes ${why}`);
  }
  const attachments = open.flatMap((listener) => {
    const hosts = commonHosts(kind, route.spec.hostnames, listener);
    return hosts.length === 0 ? [] : [{ listener, hosts }];
  });
  if (attachments.length > 0) return { attachments, fault: undefined };
  const hosts = [...new Set(open.map((l) => l.hostname))].join(', ');
  return none('NoMatchingListenerHostname', `none of its hostnames is one of Gateway ${gateway}, which has ${hosts}`, [
    'spec',
    'hostnames',
  ]);
}

/** What a parentRef names: a Gateway, a Service (calls inside of the mesh), or something that nothing is known of. */
export function parentKind({ group = GATEWAY_API, kind = 'Gateway' }: ParentReference): 'Gateway' | 'Service' | undefined {
  if (kind === 'Gateway' && group === GATEWAY_API) return 'Gateway';
  return kind === 'Service' && group === '' ? 'Service' : undefined;
}
