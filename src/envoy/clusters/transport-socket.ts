import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { ClientTLSSettings } from '../../config/kinds/networking.ts';
import { serviceIdentities } from '../../mesh/identity.ts';
import type { DestinationRuleView, EffectivePolicy, Mesh, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { typed } from '../any.ts';
import { sniClusterName } from '../names.ts';
import { rawBuffer } from '../tls/context.ts';
import { meshClientSocket, originatedTls } from '../tls/upstream.ts';
import type { Discovery } from './discovery.ts';

/** What decides how the connections of a cluster are secured. */
export interface Securing {
  service: Service;
  port: ServicePort;
  subset: string;
  rule: DestinationRuleView | undefined;
  policy: EffectivePolicy;
  discovery: Discovery;
  /** The cluster speaks nothing but HTTP/2. */
  http2: boolean;
}

/**
 * Secrets of a DestinationRule are for gateways, and for sidecars that a rule chooses by its workloadSelector: a rule without one is for
 * clients that may not have them (Istio). A ConfigMap is no secret.
 */
export function mayHaveCredentials(tls: ClientTLSSettings, rule: DestinationRuleView | undefined, scope: ProxyScope): boolean {
  if (!tls.credentialName || tls.credentialName.startsWith('configmap://')) return true;
  return scope.proxy.type === 'router' || rule?.spec.workloadSelector !== undefined;
}

/** The settings of TLS that is not the mesh's, when these connections are to be made with it. */
export function originates({ policy, rule }: Pick<Securing, 'policy' | 'rule'>, scope: ProxyScope): ClientTLSSettings | undefined {
  const { tls } = policy;
  return (tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') && mayHaveCredentials(tls, rule, scope) ? tls : undefined;
}

function meshSocket(mesh: Mesh, { service, port, subset, policy, http2 }: Securing): TransportSocketJson {
  const tls = policy.tls;
  const names = tls?.subjectAltNames?.length ? tls.subjectAltNames : serviceIdentities(mesh, service);
  return meshClientSocket({ sni: tls?.sni || sniClusterName(port.number, subset, service.host), names, http2 });
}

/** Whether mesh TLS is used without being asked for: nothing else is said, and the service's namespace does not switch it off. */
function isAutomatic(mesh: Mesh, { service, policy }: Securing): boolean {
  if (policy.tls?.mode !== undefined || mesh.config.enableAutoMtls === false || service.external) return false;
  return mesh.peerAuthentications.namespaceMode(service.namespace) !== 'DISABLE';
}

/** Mesh TLS to the endpoints that speak it, plain text to the others. */
function automatic(mesh: Mesh, at: Securing): Partial<ClusterJson> {
  if (at.discovery === 'DYNAMIC_FORWARD_PROXY') return {};
  if (at.discovery === 'ORIGINAL_DST') {
    // Such a cluster knows nothing of its hosts: they all speak mesh TLS, or none is taken to.
    const known = mesh.endpoints(at.service, at.port);
    return known.length > 0 && known.every((e) => e.tlsMode === 'istio') ? { transportSocket: meshSocket(mesh, at) } : {};
  }
  return {
    transportSocketMatches: [
      { name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transportSocket: meshSocket(mesh, at) },
      { name: 'tlsMode-disabled', match: {}, transportSocket: rawBuffer },
    ],
  };
}

function secured(mesh: Mesh, scope: ProxyScope, at: Securing): Partial<ClusterJson> {
  const { service, policy } = at;
  if (policy.tls?.mode === 'ISTIO_MUTUAL') return { transportSocket: meshSocket(mesh, at) };
  const tls = originates(at, scope);
  if (tls !== undefined) {
    const known = service.registry === 'External' ? service.subjectAltNames : [];
    const names = tls.subjectAltNames?.length ? tls.subjectAltNames : known;
    return { transportSocket: originatedTls(tls, { names, http2: at.http2 }, mesh.config) };
  }
  return isAutomatic(mesh, at) ? automatic(mesh, at) : {};
}

/** How a cluster's connections are wrapped: TLS, and a PROXY protocol header in front when the rule asks for one. */
export function transportSocket(mesh: Mesh, scope: ProxyScope, at: Securing): Partial<ClusterJson> {
  const fields = secured(mesh, scope, at);
  const { proxyProtocol } = at.policy;
  if (!proxyProtocol) return fields;
  const wrap = (inner: TransportSocketJson): TransportSocketJson => ({
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    typedConfig: typed('envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
      config: { version: proxyProtocol.version === 'V2' ? 'V2' : 'V1' },
      transportSocket: inner,
    }),
  });
  const { transportSocketMatches: matches } = fields;
  if (matches === undefined) return { transportSocket: wrap(fields.transportSocket ?? rawBuffer) };
  return { transportSocketMatches: matches.map((m) => ({ ...m, transportSocket: wrap(m.transportSocket!) })) };
}
