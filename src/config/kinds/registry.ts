/**
 * All kinds, by name.
 *
 * Importing this loads every declaration. They are plain objects, made without TypeBox's own code (see schema.ts), so building them takes
 * about 5 ms; reading some seventy files takes longer unless they are bundled. So whoever may not need a kind imports this with
 * `await import()`. Validators, documents and the like are made from a kind when it is first used, never here.
 */
import { trafficExtension } from './extensions/traffic-extension.ts';
import { wasmPlugin } from './extensions/wasm-plugin.ts';
import { kubernetesGateway } from './gateway-api/gateway.ts';
import { gatewayClass } from './gateway-api/gateway-class.ts';
import { grpcRoute } from './gateway-api/grpc-route.ts';
import { httpRoute } from './gateway-api/http-route.ts';
import { referenceGrant } from './gateway-api/reference-grant.ts';
import { tcpRoute } from './gateway-api/tcp-route.ts';
import { tlsRoute } from './gateway-api/tls-route.ts';
import type { Kind } from './kind.ts';
import { configMap } from './kubernetes/config-map.ts';
import { cronJob } from './kubernetes/cron-job.ts';
import { customResourceDefinition } from './kubernetes/custom-resource-definition.ts';
import { daemonSet } from './kubernetes/daemon-set.ts';
import { deployment } from './kubernetes/deployment.ts';
import { endpointSlice } from './kubernetes/endpoint-slice.ts';
import { endpoints } from './kubernetes/endpoints.ts';
import { job } from './kubernetes/job.ts';
import { kubernetesList } from './kubernetes/list.ts';
import { mutatingWebhookConfiguration } from './kubernetes/mutating-webhook-configuration.ts';
import { namespace } from './kubernetes/namespace.ts';
import { node } from './kubernetes/node.ts';
import { pod } from './kubernetes/pod.ts';
import { replicaSet } from './kubernetes/replica-set.ts';
import { secret } from './kubernetes/secret.ts';
import { kubernetesService } from './kubernetes/service.ts';
import { serviceAccount } from './kubernetes/service-account.ts';
import { statefulSet } from './kubernetes/stateful-set.ts';
import { validatingWebhookConfiguration } from './kubernetes/validating-webhook-configuration.ts';
import { destinationRule } from './networking/destination-rule.ts';
import { envoyFilter } from './networking/envoy-filter.ts';
import { gateway } from './networking/gateway.ts';
import { proxyConfig } from './networking/proxy-config.ts';
import { serviceEntry } from './networking/service-entry.ts';
import { sidecar } from './networking/sidecar.ts';
import { virtualService } from './networking/virtual-service.ts';
import { workloadEntry } from './networking/workload-entry.ts';
import { workloadGroup } from './networking/workload-group.ts';
import { authorizationPolicy } from './security/authorization-policy.ts';
import { peerAuthentication } from './security/peer-authentication.ts';
import { requestAuthentication } from './security/request-authentication.ts';
import { telemetry } from './telemetry/telemetry.ts';

export { schemaDocument } from './schema-document.ts';

/** Istio's kinds first, then Kubernetes' own, then those of the Gateway API: a name that several have means the first. */
export const kinds: readonly Kind[] = [
  virtualService,
  destinationRule,
  gateway,
  serviceEntry,
  sidecar,
  workloadEntry,
  workloadGroup,
  envoyFilter,
  proxyConfig,
  authorizationPolicy,
  peerAuthentication,
  requestAuthentication,
  telemetry,
  wasmPlugin,
  trafficExtension,
  namespace,
  node,
  kubernetesService,
  endpoints,
  endpointSlice,
  pod,
  deployment,
  statefulSet,
  daemonSet,
  replicaSet,
  job,
  cronJob,
  serviceAccount,
  secret,
  configMap,
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
  customResourceDefinition,
  kubernetesList,
  gatewayClass,
  kubernetesGateway,
  httpRoute,
  grpcRoute,
  tlsRoute,
  tcpRoute,
  referenceGrant,
];

const byApiVersion = new Map<string, Kind>();
const byName = new Map<string, Kind>();
for (const kind of kinds) {
  for (const version of kind.versions) byApiVersion.set(`${kind.group === '' ? version : `${kind.group}/${version}`} ${kind.kind}`, kind);
  for (const name of [kind.kind, kind.plural, ...kind.shortNames]) {
    const key = name.toLowerCase();
    if (!byName.has(key)) byName.set(key, kind);
    // As kubectl writes it where a name alone could mean several: `gateways.gateway.networking.k8s.io`.
    if (kind.group !== '') byName.set(`${key}.${kind.group}`, kind);
  }
}

/** The kind of an object that says `apiVersion` and `kind`, in a version that is served. Both are case-sensitive, as in Kubernetes. */
export function findKind(apiVersion: string, kind: string): Kind | undefined {
  return byApiVersion.get(`${apiVersion} ${kind}`);
}

/**
 * The kind that a person means: by kind, plural or short name, in any case, with or without the group: `VirtualService`,
 * `virtualservices`, `vs`, `vs.networking.istio.io`. `gateway` means Istio's.
 */
export function kindByName(name: string): Kind | undefined {
  return byName.get(name.toLowerCase());
}
