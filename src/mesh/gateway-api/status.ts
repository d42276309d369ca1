import type { Resource } from '../../config/resource.ts';
import type { Mesh } from '../types.ts';
import type { GatewayState, RouteState } from './build.ts';
import { CONTROLLERS } from './classes.ts';
import type { Fault } from './conditions.ts';
import type { ApiListener } from './listeners.ts';
import { GATEWAY_API, type RouteKind } from './objects.ts';

/** A condition as Kubernetes writes it, without the time of its last change. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { group: string; kind: RouteKind }[];
  /** How many routes are attached, whether their rules lead anywhere or not. */
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

export interface GatewayStatus {
  readonly conditions: readonly Condition[];
  readonly listeners: readonly ListenerStatus[];
}

export interface RouteStatus {
  readonly parents: readonly {
    parentRef: RouteState['parents'][number]['ref'];
    controllerName: string;
    conditions: readonly Condition[];
  }[];
}

function condition(type: string, faults: readonly Fault[], holds: string, message = ''): Condition {
  const [first] = faults;
  if (first === undefined) return { type, status: 'True', reason: holds, message };
  return { type, status: 'False', reason: first.reason, message: faults.map((f) => f.message).join('; ') };
}

/** The Secrets that there are, by the names that listeners have for them. */
export function knownCertificates(mesh: Pick<Mesh, 'ofKind'>): ReadonlySet<string> {
  return new Set(mesh.ofKind('Secret').map(({ metadata }) => `kubernetes-gateway://${metadata.namespace}/${metadata.name}`));
}

/** Certificates that no Secret has: they may come later, so that the listener is open all the same. */
function missingSecrets({ certificates, path }: ApiListener, known: (certificate: string) => boolean): Fault[] {
  return certificates
    .filter((name) => !known(name))
    .map((name) => ({
      condition: 'ResolvedRefs',
      reason: 'InvalidCertificateRef',
      path: [...path, 'tls', 'certificateRefs'],
      message: `there is no Secret ${name.slice('kubernetes-gateway://'.length)}`,
    }));
}

function attachedRoutes(listener: ApiListener, routes: readonly RouteState[]): number {
  return routes.filter(({ parents }) => parents.some((p) => p.attachments.some((a) => a.listener === listener))).length;
}

function listenerStatus(listener: ApiListener, routes: readonly RouteState[], known: (certificate: string) => boolean): ListenerStatus {
  const faults = [...listener.faults, ...missingSecrets(listener, known)];
  const of = (type: Fault['condition']): Fault[] => faults.filter((f) => f.condition === type);
  const conflicts = of('Conflicted');
  const [conflict] = conflicts;
  const blocking = listener.usable ? [] : faults.filter((f) => f.reason !== 'InvalidRouteKinds');
  return {
    name: listener.spec.name,
    supportedKinds: listener.kinds.map((kind) => ({ group: GATEWAY_API, kind })),
    attachedRoutes: attachedRoutes(listener, routes),
    conditions: [
      condition('Accepted', [...of('Accepted'), ...conflicts], 'Accepted'),
      condition('ResolvedRefs', of('ResolvedRefs'), 'ResolvedRefs'),
      condition(
        'Programmed',
        blocking.map((f) => ({ ...f, reason: 'Invalid' })),
        'Programmed',
      ),
      conflict === undefined
        ? { type: 'Conflicted', status: 'False', reason: 'NoConflicts', message: '' }
        : { type: 'Conflicted', status: 'True', reason: conflict.reason, message: conflict.message },
    ],
  };
}

/**
 * The status of a Gateway: its conditions and those of its listeners. undefined for Gateways of other controllers.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gatewaystatus
 *
 * @param known whether there is a Secret of the name that listeners have for it; without, those of the mesh
 */
export function gatewayStatus(
  { gateway, owner, listeners }: GatewayState,
  mesh: Pick<Mesh, 'ofKind' | 'gatewayApi'>,
  known?: (certificate: string) => boolean,
): GatewayStatus | undefined {
  if (owner !== 'ours') return undefined;
  const open = listeners.filter((l) => l.usable);
  const invalid = listeners.filter((l) => !l.usable);
  const names = invalid.map((l) => l.spec.name).join(', ');
  const none: Fault[] =
    open.length > 0
      ? []
      : [
          {
            condition: 'Accepted',
            reason: 'ListenersNotValid',
            path: ['spec', 'listeners'],
            message: listeners.length === 0 ? `Gateway ${gateway.metadata.name} has no listeners` : `no listener is valid: ${names}`,
          },
        ];
  const accepted = condition('Accepted', none, invalid.length > 0 ? 'ListenersNotValid' : 'Accepted', names && `not valid: ${names}`);
  const programmed = condition(
    'Programmed',
    none.map((f) => ({ ...f, reason: 'Invalid' })),
    'Programmed',
  );
  const { routes } = mesh.gatewayApi;
  const certificates = known === undefined ? knownCertificates(mesh) : undefined;
  const isKnown = known ?? ((name: string): boolean => certificates?.has(name) ?? false);
  return { conditions: [accepted, programmed], listeners: listeners.map((l) => listenerStatus(l, routes, isKnown)) };
}

/**
 * The status of a route: the conditions of each parentRef that is served here.
 * https://gateway-api.sigs.k8s.io/reference/spec/#routestatus
 */
export function routeStatus({ parents, faults }: RouteState): RouteStatus {
  const resolved = condition(
    'ResolvedRefs',
    faults.filter((f) => f.condition === 'ResolvedRefs'),
    'ResolvedRefs',
  );
  const unsupported = faults.filter((f) => f.condition === 'Accepted');
  return {
    parents: parents
      .filter((p) => p.kind !== 'others')
      .map(({ ref, fault }) => ({
        parentRef: ref,
        controllerName: CONTROLLERS[0]!,
        conditions: [condition('Accepted', fault === undefined ? unsupported : [fault], 'Accepted'), resolved],
      })),
  };
}

/** The condition of a GatewayClass; undefined for those of controllers that are not served here. */
export function classStatus(resource: Resource<{ controllerName: string }>): { conditions: readonly Condition[] } | undefined {
  if (!CONTROLLERS.includes(resource.spec.controllerName)) return undefined;
  return { conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }] };
}
