import type { Resource } from '../../config/resource.ts';
import { unguardedPorts } from '../../envoy/security/policy-problems.ts';
import { identityOf } from '../../mesh/identity.ts';
import { labelOf } from '../../mesh/labels.ts';
import { parseProtocol } from '../../mesh/protocol.ts';
import { everyProxy } from '../../mesh/proxies.ts';
import { effectiveMtls } from '../../mesh/security/peer-authentication.ts';
import type { Mesh, Protocol, ProxyScope } from '../../mesh/types.ts';
import { isSystemNamespace } from '../model/system-namespaces.ts';
import type { Subject, SubjectPort } from './subject.ts';
import { type PortPosture, referenceTo } from './types.ts';

const TLS_MODE = 'security.istio.io/tlsMode';

type Instances = ProxyScope['instances'];

/** WorkloadEntries that are no gateways, on the ports that services and their Sidecar's ingress name. */
export function entrySubjects(mesh: Mesh): Subject[] {
  return everyProxy(mesh).flatMap((proxy): Subject[] => {
    const { kind, resource, namespace, labels } = proxy.workload;
    if (kind !== 'WorkloadEntry' || resource === undefined || proxy.type === 'router' || isSystemNamespace(namespace)) return [];
    const scope = mesh.scope(proxy);
    const led = Map.groupBy(scope.instances, ({ targetPort }) => targetPort);
    const own = (scope.ingress ?? []).flatMap(({ port }) => (port.number === undefined ? [] : [port.number]));
    const targets = [...new Set([...led.keys(), ...own])];
    const ports = targets.map((target) => portOf({ mesh, scope, resource }, target, led.get(target) ?? []));
    return [{ resource, namespace, labels, identity: identityOf(proxy, mesh.config), ports }];
  });
}

interface Place {
  readonly mesh: Mesh;
  readonly scope: ProxyScope;
  readonly resource: Resource;
}

function portOf(place: Place, target: number, instances: Instances): SubjectPort {
  const { scope } = place;
  const ingress = scope.ingress?.find(({ port }) => port.number === target);
  const protocol = instances[0]?.port.protocol ?? (ingress === undefined ? undefined : parseProtocol(ingress.port.protocol));
  return {
    target,
    protocol,
    services: instances.map(({ service, port }) => ({
      resource: service.resource,
      name: service.registry === 'Kubernetes' ? `${service.namespace}/${service.name}` : service.host,
      port: port.number,
    })),
    mtls: mtlsOf(place, target, protocol),
    plainClients: plainClients(place, target, instances),
  };
}

/** What really holds on a port: where calls go past the proxy nothing does, whatever a policy says. No proxy takes UDP. */
function mtlsOf({ mesh, scope, resource }: Place, target: number, protocol: Protocol | undefined): PortPosture['mtls'] {
  const { namespace, labels } = scope.proxy;
  const { mode, by } = effectiveMtls(mesh.peerAuthentications.policiesFor(namespace, labels), target);
  const policy = by === undefined ? [] : [referenceTo(by.resource, by.at)];
  if (protocol !== 'UDP' && !unguardedPorts(scope).includes(target)) return { mode, references: policy };
  return { mode: 'unguarded', references: [referenceTo(resource, ['spec', 'address']), ...(mode === 'STRICT' ? policy : [])] };
}

/** Clients look at an endpoint's labels and identity: without one it is taken to have no proxy (Istio). */
function plainClients({ mesh, scope, resource }: Place, target: number, instances: Instances): SubjectPort['plainClients'] {
  const { workload } = scope.proxy;
  const seen = instances.flatMap(({ service, port }) =>
    mesh.endpoints(service, port).filter((e) => e.runs === workload && (e.port === target || e.port === 0)),
  );
  if (seen.length === 0 || seen.some(({ tlsMode }) => tlsMode === 'istio')) return undefined;
  const why = labelOf(workload.labels, TLS_MODE) !== undefined ? `its label ${TLS_MODE} says so` : 'it names no serviceAccount';
  return { why, reference: referenceTo(resource, ['spec']) };
}
