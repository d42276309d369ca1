import type { BackendObjectReference, ReferenceGrant } from '../../config/kinds/gateway-api.ts';
import type { Destination } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Service } from '../types.ts';
import { type Fault, fault } from './conditions.ts';
import { isGranted } from './grants.ts';
import { GATEWAY_API } from './objects.ts';

/** What backends are looked up in. */
export interface BackendInputs {
  readonly byHost: ReadonlyMap<string, readonly Service[]>;
  readonly domain: string;
  readonly grants: readonly Resource<ReferenceGrant>[];
}

/** A backend: where requests go, or why they cannot. */
export type Backend = { readonly destination: Destination } | { readonly fault: Fault };

/** Istio's kind for a host of the registry, whatever declares it. */
const HOSTNAME = 'networking.istio.io/Hostname';

/**
 * The service that a backendRef means. One that is not there, or may not be used, gets none of its share: those requests are answered 500.
 *
 * @param route the route that refers to it
 */
export function resolveBackend(ref: BackendObjectReference, route: Resource, path: FieldPath, inputs: BackendInputs): Backend {
  const { group = '', kind = 'Service', name, namespace = route.metadata.namespace, port } = ref;
  const fail = (reason: string, message: string, at: FieldPath = path, hint?: string): Backend => ({
    fault: fault('ResolvedRefs', reason, at, message, hint),
  });
  const isHost = `${group}/${kind}` === HOSTNAME;
  if (!isHost && (group !== '' || kind !== 'Service'))
    return fail('InvalidKind', `a backend is a Service, or a Hostname of networking.istio.io, not a ${kind}${group && ` of ${group}`}`);
  const from = { group: GATEWAY_API, kind: route.kind, namespace: route.metadata.namespace };
  if (!isGranted(inputs.grants, { from, to: { group, kind, namespace, name } })) {
    const message = `no ReferenceGrant of namespace ${namespace} lets objects of kind ${route.kind} of ${from.namespace} use ${kind} ${name}`;
    return fail('RefNotPermitted', message, [...path, 'namespace']);
  }
  const host = isHost ? name.toLowerCase() : `${name}.${namespace}.svc.${inputs.domain}`;
  const services = inputs.byHost.get(host);
  if (services === undefined)
    return fail('BackendNotFound', `there is no ${isHost ? `host ${host}` : `Service ${namespace}/${name}`}`, [...path, 'name']);
  const ports = [...new Set(services.flatMap((s) => s.ports.map((p) => p.number)))];
  const has = `${isHost ? host : `Service ${namespace}/${name}`} has ${ports.join(', ')}`;
  if (port === undefined) return fail('BackendNotFound', `the port of a backend must be given; ${has}`, path, 'add `port`');
  if (!ports.includes(port)) return fail('BackendNotFound', `there is no port ${port}; ${has}`, [...path, 'port']);
  return { destination: { host, port: { number: port } } };
}

/** Where the share of a backend goes that there is none for: a cluster that no proxy has. RFC 2606 keeps the name free. */
export function nowhere({ name, namespace }: BackendObjectReference, route: Resource): Destination {
  return { host: `${name}.${namespace ?? route.metadata.namespace}.invalid`, port: { number: 1 } };
}
