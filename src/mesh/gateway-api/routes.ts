import type { KubernetesGateway, ParentReference } from '../../config/kinds/gateway-api.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Service } from '../types.ts';
import { type Attachment, attach, parentKind } from './attach.ts';
import { type Fault, fault } from './conditions.ts';
import type { ApiListener } from './listeners.ts';
import { GATEWAY_API, type Route } from './objects.ts';

/** What came of one of a route's parentRefs. */
export interface ParentState {
  readonly ref: ParentReference;
  readonly path: FieldPath;
  /** `others`: a Gateway of another controller, about which nothing is said. */
  readonly kind: 'Gateway' | 'Service' | 'others';
  readonly attachments: readonly Attachment[];
  /** Calls inside of the mesh: the host of the Service that they are for. */
  readonly host: string | undefined;
  /** Why it is not accepted. */
  readonly fault: Fault | undefined;
}

/** What parents are looked up in. */
export interface ParentInputs {
  /** By `namespace/name`: listeners of Gateways that are served here; `undefined` for those that are not. */
  readonly gateways: ReadonlyMap<string, { gateway: Resource<KubernetesGateway>; listeners: readonly ApiListener[] | undefined }>;
  readonly byHost: ReadonlyMap<string, readonly Service[]>;
  readonly namespaces: ReadonlyMap<string, Resource>;
  readonly domain: string;
}

/** Kinds of routes that calls inside of the mesh can follow. */
const MESH_KINDS: readonly string[] = ['HTTPRoute', 'GRPCRoute'];

function serviceParent(
  route: Resource<Route>,
  ref: ParentReference,
  inputs: ParentInputs,
  path: FieldPath,
): { host?: string; fault?: Fault } {
  const { namespace = route.metadata.namespace, name, port } = ref;
  const refuse = (reason: string, message: string, at: FieldPath): { fault: Fault } => ({ fault: fault('Accepted', reason, at, message) });
  if (!MESH_KINDS.includes(route.kind))
    return refuse('UnsupportedValue', `routes of kind ${route.kind} attach to Gateways only`, [...path, 'kind']);
  const host = `${name}.${namespace}.svc.${inputs.domain}`;
  const services = inputs.byHost.get(host);
  if (services === undefined) return refuse('NoMatchingParent', `there is no Service ${namespace}/${name}`, [...path, 'name']);
  if (port !== undefined && !services.some((s) => s.ports.some((p) => p.number === port)))
    return refuse('NoMatchingParent', `Service ${namespace}/${name} has no port ${port}`, [...path, 'port']);
  return { host };
}

function parentState(route: Resource<Route>, ref: ParentReference, i: number, inputs: ParentInputs): ParentState {
  const path = ['spec', 'parentRefs', i];
  const base = { ref, path, attachments: [], host: undefined, fault: undefined };
  const kind = parentKind(ref);
  if (kind === undefined) {
    const { group = GATEWAY_API, kind: named = 'Gateway' } = ref;
    const message = `a route attaches to a Gateway of ${GATEWAY_API} or to a Service of the core group, not to a ${named} of ${group || 'the core group'}`;
    const at = [...path, ref.kind === undefined ? 'group' : 'kind'];
    return { ...base, kind: 'others', fault: fault('Accepted', 'NoMatchingParent', at, message) };
  }
  if (kind === 'Service') {
    const found = serviceParent(route, ref, inputs, path);
    return { ...base, kind, host: found.host, fault: found.fault };
  }
  const { namespace = route.metadata.namespace, name } = ref;
  const found = inputs.gateways.get(`${namespace}/${name}`);
  if (found === undefined) {
    const message = `there is no Gateway ${namespace}/${name} of the Gateway API`;
    return { ...base, kind, fault: fault('Accepted', 'NoMatchingParent', [...path, 'name'], message) };
  }
  if (found.listeners === undefined) return { ...base, kind: 'others' };
  const { attachments, fault: why } = attach(route, ref, found.listeners, path, inputs.namespaces);
  return { ...base, kind, attachments, fault: why };
}

/** What a route is attached to, parentRef by parentRef. */
export function parentStates(route: Resource<Route>, inputs: ParentInputs): readonly ParentState[] {
  return (route.spec.parentRefs ?? []).map((ref, i) => parentState(route, ref, i, inputs));
}
