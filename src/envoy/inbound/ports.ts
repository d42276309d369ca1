import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { ServerTLSSettings } from '../../config/kinds/networking.ts';
import type { FieldPath } from '../../config/resource.ts';
import { compareAge } from '../../mesh/order.ts';
import { parseProtocol } from '../../mesh/protocol.ts';
import type { Protocol } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { wildcards } from '../listeners/families.ts';
import { provenance } from '../metadata.ts';
import { listenerName } from '../names.ts';

/** One port on which a workload is called. */
export interface InboundPort {
  targetPort: number;
  servicePort: number;
  protocol: Protocol;
  /** Host of the service, for span names; empty for a Sidecar's ingress port that no service has. */
  host: string;
  /** The filter chains' name, and the listener's where ports are bound. */
  name: string;
  /** Where a bound listener is. */
  bind: string;
  metadata: MetadataJson | undefined;
  /** What a Sidecar's ingress port says of TLS. */
  tls: ServerTLSSettings | undefined;
  /** Where the port is declared, for what is said about it. */
  field: FieldPath | undefined;
}

function servicePorts({ scope, proxy }: BuildContext): InboundPort[] {
  const { bind } = wildcards(proxy);
  const byPort = new Map<number, InboundPort>();
  const oldestFirst = [...scope.instances].sort((a, b) => compareAge(a.service, b.service));
  for (const { service, port, targetPort } of oldestFirst) {
    if (port.protocol === 'UDP' || byPort.has(targetPort)) continue;
    const name = listenerName(bind, targetPort);
    byPort.set(targetPort, {
      targetPort,
      servicePort: port.number,
      protocol: port.protocol,
      host: service.host,
      name,
      bind,
      metadata: undefined,
      tls: undefined,
      field: undefined,
    });
  }
  return [...byPort.values()];
}

function ingressPorts({ scope, proxy }: BuildContext): InboundPort[] {
  const byPort = new Map<number, InboundPort>();
  for (const [i, ingress] of (scope.ingress ?? []).entries()) {
    const number = ingress.port.number ?? 0;
    if (number === 0 || byPort.has(number)) continue;
    const bind = ingress.bind || proxy.ips[0] || wildcards(proxy).bind;
    const instance = scope.instances.find((x) => x.targetPort === number || x.port.number === number);
    byPort.set(number, {
      targetPort: number,
      servicePort: number,
      protocol: parseProtocol(ingress.port.protocol),
      host: instance?.service.host ?? '',
      name: listenerName(bind, number),
      bind,
      metadata: scope.sidecar && provenance(scope.sidecar, ['ingress', i]),
      tls: ingress.tls,
      field: ['spec', 'ingress', i],
    });
  }
  return [...byPort.values()];
}

/**
 * The ports on which the workload is called, ascending. A Sidecar's ingress ports take the place of the services' (Istio).
 * Of several services with one target port the oldest decides.
 */
export function inboundPorts(context: BuildContext): InboundPort[] {
  const ports = context.scope.ingress?.length ? ingressPorts(context) : servicePorts(context);
  return ports.sort((a, b) => a.targetPort - b.targetPort);
}
