import type { Kind } from '../kinds/kind.ts';
import type { Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkAuthorizationPolicy } from './authorization-policy.ts';
import { checkDestinationRule } from './destination-rule.ts';
import { checkEnvoyFilter } from './envoy-filter.ts';
import { checkGateway } from './gateway.ts';
import { checkApiGateway } from './gateway-api/gateway.ts';
import { checkGrpcApiRoute, checkHttpApiRoute, checkLayer4ApiRoute } from './gateway-api/routes.ts';
import { checkPeerAuthentication } from './peer-authentication.ts';
import { checkProxyConfigResource } from './proxy-config.ts';
import { checkRequestAuthentication } from './request-authentication.ts';
import { checkServiceEntry } from './service-entry.ts';
import { checkSidecar } from './sidecar.ts';
import { checkTelemetry } from './telemetry.ts';
import { checkVirtualService } from './virtual-service.ts';
import { checkTrafficExtension, checkWasmPlugin } from './wasm.ts';
import { checkWorkloadEntry } from './workload-entry.ts';
import { checkWorkloadGroup } from './workload-group.ts';

/** The rules of one kind that need nothing but one object of it. The schema has been checked without errors. */
export type Semantics = (resource: Resource, report: Report) => void;

const rules: ReadonlyMap<string, Semantics> = new Map<string, Semantics>([
  ['networking.istio.io/VirtualService', checkVirtualService],
  ['networking.istio.io/DestinationRule', checkDestinationRule],
  ['networking.istio.io/Gateway', checkGateway],
  ['networking.istio.io/ServiceEntry', checkServiceEntry],
  ['networking.istio.io/Sidecar', checkSidecar],
  ['networking.istio.io/WorkloadEntry', checkWorkloadEntry],
  ['networking.istio.io/WorkloadGroup', checkWorkloadGroup],
  ['security.istio.io/PeerAuthentication', checkPeerAuthentication],
  ['security.istio.io/AuthorizationPolicy', checkAuthorizationPolicy],
  ['security.istio.io/RequestAuthentication', checkRequestAuthentication],
  ['telemetry.istio.io/Telemetry', checkTelemetry],
  ['networking.istio.io/EnvoyFilter', checkEnvoyFilter],
  ['networking.istio.io/ProxyConfig', checkProxyConfigResource],
  ['extensions.istio.io/WasmPlugin', checkWasmPlugin],
  ['extensions.istio.io/TrafficExtension', checkTrafficExtension],
  ['gateway.networking.k8s.io/Gateway', checkApiGateway],
  ['gateway.networking.k8s.io/HTTPRoute', checkHttpApiRoute],
  ['gateway.networking.k8s.io/GRPCRoute', checkGrpcApiRoute],
  ['gateway.networking.k8s.io/TLSRoute', checkLayer4ApiRoute],
  ['gateway.networking.k8s.io/TCPRoute', checkLayer4ApiRoute],
]);

/** The rules of a kind; undefined when its schema says everything. */
export function findSemantics(kind: Kind): Semantics | undefined {
  return rules.get(`${kind.group}/${kind.kind}`);
}
