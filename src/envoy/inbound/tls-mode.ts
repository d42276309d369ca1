import type { ServerTLSSettings } from '../../config/kinds/networking.ts';
import { effectiveMtls, type MtlsMode } from '../../mesh/security/peer-authentication.ts';
import type { BuildContext } from '../context.ts';
import { endsTls } from '../tls/server.ts';
import type { InboundPort } from './ports.ts';

/** The mode of one of the workload's ports, `undefined` for ports that nothing names. */
export function inboundTlsMode({ mesh, proxy }: BuildContext, targetPort: number | undefined): MtlsMode {
  return effectiveMtls(mesh.peerAuthentications.policiesFor(proxy.namespace, proxy.labels), targetPort).mode;
}

/** The TLS that a Sidecar sets up for a port, for clients outside the mesh. Only where mesh TLS is off: a port cannot have both (Istio). */
export function ownTls(context: BuildContext, port: InboundPort): ServerTLSSettings | undefined {
  return port.tls !== undefined && endsTls(port.tls) && inboundTlsMode(context, port.targetPort) === 'DISABLE' ? port.tls : undefined;
}

/** Ports that a PeerAuthentication names and nothing else does, ascending: they are passed on with a mode of their own. */
export function portsOfPolicyAlone({ mesh, proxy }: BuildContext, known: readonly InboundPort[]): number[] {
  const { workload } = mesh.peerAuthentications.policiesFor(proxy.namespace, proxy.labels);
  const ports = Object.keys(workload?.spec.portLevelMtls ?? {}).map(Number);
  return ports.filter((p) => p > 0 && p <= 65535 && !known.some((k) => k.targetPort === p)).sort((a, b) => a - b);
}
