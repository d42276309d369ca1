import type { KubernetesGateway, Listener, ReferenceGrant } from '../../config/kinds/gateway-api.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { type Fault, fault } from './conditions.ts';
import { isGranted } from './grants.ts';
import { GATEWAY_API, nameOf, type RouteKind } from './objects.ts';

/** A listener of a Gateway that is served here, read and judged. */
export interface ApiListener {
  /** `<namespace>/<gateway>/<listener>`: what routes are attached to inside the model. */
  readonly key: string;
  readonly gateway: Resource<KubernetesGateway>;
  readonly path: FieldPath;
  readonly spec: Listener;
  /** Lower case; `*` for any. */
  readonly hostname: string;
  /** Kinds of routes that may attach. */
  readonly kinds: readonly RouteKind[];
  /** Secrets by which it ends TLS, as `kubernetes-gateway://<namespace>/<name>`; those that may not be used are left out. */
  readonly certificates: readonly string[];
  readonly faults: readonly Fault[];
  /** Whether it is opened: protocol known, no conflict, TLS with a certificate to show. */
  readonly usable: boolean;
}

const HTTP_KINDS: readonly RouteKind[] = ['HTTPRoute', 'GRPCRoute'];

/** Kinds of routes by protocol and TLS mode; undefined: nobody listens with that protocol here. */
function kindsOf({ protocol, tls }: Listener): readonly RouteKind[] | undefined {
  if (protocol === 'HTTP' || protocol === 'HTTPS') return HTTP_KINDS;
  if (protocol === 'TLS') return tls?.mode === 'Passthrough' ? ['TLSRoute'] : ['TCPRoute'];
  return protocol === 'TCP' ? ['TCPRoute'] : undefined;
}

function allowedKinds(listener: Listener, possible: readonly RouteKind[], path: FieldPath, faults: Fault[]): readonly RouteKind[] {
  const wanted = listener.allowedRoutes?.kinds ?? [];
  if (wanted.length === 0) return possible;
  const kept: RouteKind[] = [];
  for (const [i, { group = GATEWAY_API, kind }] of wanted.entries()) {
    const known = group === GATEWAY_API ? possible.find((k) => k === kind) : undefined;
    if (known !== undefined) kept.push(known);
    else {
      const message = `routes of kind ${kind} cannot attach to a listener with protocol ${listener.protocol}`;
      faults.push(fault('ResolvedRefs', 'InvalidRouteKinds', [...path, 'allowedRoutes', 'kinds', i], message));
    }
  }
  return kept;
}

function certificatesOf(
  gateway: Resource<KubernetesGateway>,
  { tls }: Listener,
  path: FieldPath,
  grants: readonly Resource<ReferenceGrant>[],
  faults: Fault[],
): string[] {
  const out: string[] = [];
  const from = { group: GATEWAY_API, kind: 'Gateway', namespace: gateway.metadata.namespace };
  for (const [i, ref] of (tls?.certificateRefs ?? []).entries()) {
    const { group = '', kind = 'Secret', name, namespace = from.namespace } = ref;
    const at = [...path, 'tls', 'certificateRefs', i];
    if (group !== '' || kind !== 'Secret') {
      faults.push(fault('ResolvedRefs', 'InvalidCertificateRef', at, `a certificate is in a Secret, not in a ${kind}`));
    } else if (!isGranted(grants, { from, to: { group, kind, namespace, name } })) {
      const message = `no ReferenceGrant of namespace ${namespace} lets Gateways of ${from.namespace} use its Secret ${name}`;
      faults.push(fault('ResolvedRefs', 'RefNotPermitted', at, message));
    } else out.push(`kubernetes-gateway://${namespace}/${name}`);
  }
  return out;
}

const endsTls = ({ protocol, tls }: Listener): boolean =>
  protocol === 'HTTPS' || (protocol === 'TLS' && (tls?.mode ?? 'Terminate') === 'Terminate');

function readListener(
  gateway: Resource<KubernetesGateway>,
  spec: Listener,
  i: number,
  grants: readonly Resource<ReferenceGrant>[],
): ApiListener {
  const path: FieldPath = ['spec', 'listeners', i];
  const faults: Fault[] = [];
  const possible = kindsOf(spec);
  if (possible === undefined)
    faults.push(fault('Accepted', 'UnsupportedProtocol', [...path, 'protocol'], `nothing here listens with protocol ${spec.protocol}`));
  const kinds = allowedKinds(spec, possible ?? [], path, faults);
  const certificates = endsTls(spec) ? certificatesOf(gateway, spec, path, grants, faults) : [];
  if (spec.protocol === 'HTTPS' && spec.tls?.mode === 'Passthrough') {
    const message = 'protocol HTTPS ends TLS here: it has no mode Passthrough';
    faults.push(fault('Accepted', 'UnsupportedValue', [...path, 'tls', 'mode'], message, 'use protocol TLS'));
  } else if (
    endsTls(spec) &&
    certificates.length === 0 &&
    !faults.some((f) => f.condition === 'ResolvedRefs' && f.reason !== 'InvalidRouteKinds')
  ) {
    const at = spec.tls === undefined ? path : [...path, 'tls'];
    faults.push(fault('ResolvedRefs', 'InvalidCertificateRef', at, 'it is to end TLS and has no certificateRefs'));
  }
  const usable = possible !== undefined && !faults.some((f) => f.condition === 'Accepted') && (!endsTls(spec) || certificates.length > 0);
  const key = `${nameOf(gateway)}/${spec.name}`;
  return { key, gateway, path, spec, hostname: spec.hostname?.toLowerCase() || '*', kinds, certificates, faults, usable };
}

/** What listeners of one port must agree in: connections are told apart by server name, or requests by host. */
function layer({ spec }: ApiListener): string {
  return spec.protocol === 'HTTPS' || spec.protocol === 'TLS' ? 'TLS' : spec.protocol;
}

function conflictOf(listener: ApiListener, others: readonly ApiListener[]): Fault | undefined {
  const { port, name } = listener.spec;
  for (const other of others) {
    if (other === listener || other.spec.port !== port) continue;
    const at = [...listener.path, 'port'];
    if (layer(other) !== layer(listener))
      return fault(
        'Conflicted',
        'ProtocolConflict',
        at,
        `listener ${other.spec.name} has port ${port} with protocol ${other.spec.protocol}`,
      );
    if (other.hostname === listener.hostname && name !== other.spec.name)
      return fault('Conflicted', 'HostnameConflict', at, `listener ${other.spec.name} has the same port and hostname`);
  }
  return undefined;
}

/** The listeners of a Gateway, in their order. Those that are in each other's way are not opened, none of them. */
export function readListeners(gateway: Resource<KubernetesGateway>, grants: readonly Resource<ReferenceGrant>[]): readonly ApiListener[] {
  const read = (gateway.spec.listeners ?? []).map((spec, i) => readListener(gateway, spec, i, grants));
  return read.map((listener) => {
    const conflict = listener.usable
      ? conflictOf(
          listener,
          read.filter((l) => l.usable),
        )
      : undefined;
    return conflict === undefined ? listener : { ...listener, faults: [...listener.faults, conflict], usable: false };
  });
}
