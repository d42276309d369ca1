import type { KubernetesService } from '../config/kinds/kubernetes.ts';
import type { DestinationRule, Gateway, ServiceEntry, Sidecar, VirtualService } from '../config/kinds/networking.ts';
import type { PeerAuthentication } from '../config/kinds/security.ts';
import type { Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { checkDestinations, checkDuplicateHosts } from './checks.ts';
import { buildDestinationRules, type DestinationRules } from './destination-rules.ts';
import { buildGatewayApi, type GatewayApi } from './gateway-api/build.ts';
import { keptViews } from './gateway-api/kept-views.ts';
import { gatewayApiObjects } from './gateway-api/objects.ts';
import { reportGatewayApi } from './gateway-api/problems.ts';
import { istioGateways } from './gateways.ts';
import { getOrMake } from './memo.ts';
import { type MeshTls, meshTls } from './mesh-tls.ts';
import { createModelMemo, type ModelMemo, made, reported, sameItems, stage } from './model-memo.ts';
import { compareResources } from './order.ts';
import type { Report } from './problem.ts';
import { indexResources, type ResourceIndex, withoutDuplicates } from './resource-index.ts';
import { buildPeerAuthentications, type PeerAuthentications } from './security/peer-authentication.ts';
import { buildServiceRegistry, type ServiceRegistry } from './service-registry.ts';
import { entryServices } from './services-entry.ts';
import { kubernetesService, type ServiceContext } from './services-kubernetes.ts';
import { namespaceScope, type SharedScope, sidecarScope } from './sidecar-scope.ts';
import { buildSidecarSelection, type SidecarSelection } from './sidecar-selection.ts';
import type { GatewayView, ResolvedMeshConfig } from './types.ts';
import { buildVirtualServices, type VirtualServices, withViews } from './virtual-services.ts';

/** The part of a mesh that endpoint changes leave alone. */
export interface Routing {
  config: ResolvedMeshConfig;
  registry: ServiceRegistry;
  virtualServices: VirtualServices;
  destinationRules: DestinationRules;
  /** Of both APIs, oldest first. */
  gateways: readonly GatewayView[];
  gatewayApi: GatewayApi;
  sidecarFor: SidecarSelection;
  /** What proxies of `namespace` with this Sidecar share; gateways have none. Computed when first asked for. */
  shared(namespace: string, by: Resource<Sidecar> | 'gateway' | undefined): SharedScope;
  peerAuthentications: PeerAuthentications;
  meshTls: MeshTls;
  problems: readonly Problem[];
  /** What was made of single resources, for the next routing. */
  memo: ModelMemo;
}

/** The Gateway API's part; the same object while its objects and the services are the same. */
function gatewayApiOf(index: ResourceIndex, registry: ServiceRegistry, memo: ModelMemo, report: Report): GatewayApi {
  const objects = gatewayApiObjects(index);
  const { classes, gateways, http, grpc, tls, tcp, grants } = objects;
  const inputs = [registry, ...[classes, gateways, http, grpc, tls, tcp, grants].flat()];
  return stage(memo, 'Gateway API', inputs, report, (report) => {
    const { domain, defaultHttpRetryPolicy: retries } = memo.config;
    const made = buildGatewayApi(objects, { byHost: registry.byHost, domain, retries });
    reportGatewayApi(made, report);
    return { ...made, views: keptViews(made.views, memo.gatewayApiViews) };
  });
}

/**
 * Builds everything that routes and clusters follow from. Also returns the resources without duplicates.
 *
 * @param before is of the mesh before: what it has of unchanged resources is taken over, when the settings are the same; `doubles` is
 *   false when it is known that no two resources have one identity
 */
export function buildRouting(
  given: readonly Resource[],
  config: ResolvedMeshConfig,
  before?: { memo: ModelMemo; doubles: boolean },
): { routing: Routing; index: ResourceIndex } {
  const problems: Problem[] = [];
  const report = (problem: Problem): void => void problems.push(problem);
  const index = indexResources(before?.doubles === false ? given : withoutDuplicates(given, report));
  const namespaces = index.ofKind('Namespace');
  const known = before?.memo;
  const kept = known !== undefined && known.config === config && sameItems(known.namespaces, namespaces);
  const memo = kept ? known : createModelMemo(config, namespaces);
  const context: ServiceContext = { config, namespaces: new Map(namespaces.map((n) => [n.metadata.name, n])) };
  const services = index.everywhere<KubernetesService>('Service').flatMap((resource) => {
    return getOrMake(memo.services, resource, () => ({ value: [kubernetesService(resource, context)], problems: [] })).value;
  });
  for (const resource of index.ofKind<ServiceEntry>('ServiceEntry')) {
    const known = getOrMake(memo.services, resource, () => made((report) => entryServices(resource, context, report)));
    services.push(...reported(known, report));
  }
  const registry = stage(memo, 'services', services, report, (report) =>
    buildServiceRegistry(services, { config, memo: memo.registry }, report),
  );
  const views = index.ofKind<VirtualService>('VirtualService');
  const written = stage(memo, 'VirtualServices', views, report, (report) => buildVirtualServices(views, memo, report));
  const rules = index.ofKind<DestinationRule>('DestinationRule');
  const destinationRules = stage(memo, 'DestinationRules', rules, report, (report) => buildDestinationRules(rules, memo, report));
  checkDestinations(written.all, registry.byHost, config.domain, report);
  checkDuplicateHosts(written.all, report);
  const gatewayApi = gatewayApiOf(index, registry, memo, report);
  const virtualServices = stage(memo, 'all views', [written, gatewayApi], report, () => withViews(written, gatewayApi.views));
  const istio = index.ofKind<Gateway>('Gateway');
  const gateways = stage(memo, 'Gateways', [gatewayApi, ...istio], report, () =>
    [...istioGateways(istio), ...gatewayApi.gatewayViews].sort((a, b) => compareResources(a.resource, b.resource)),
  );
  const sidecars = index.ofKind<Sidecar>('Sidecar');
  const sidecarFor = buildSidecarSelection(sidecars, config.rootNamespace, report);
  const peers = index.ofKind<PeerAuthentication>('PeerAuthentication');
  const peerAuthentications = stage(memo, 'PeerAuthentications', peers, report, (report) =>
    buildPeerAuthentications(peers, config.rootNamespace, report),
  );
  const inputs = { config, registry, virtualServices };
  const scopes = new Map<Resource<Sidecar> | 'gateway' | undefined, Map<string, SharedScope>>();
  const routing: Routing = {
    ...inputs,
    destinationRules,
    gateways,
    gatewayApi,
    sidecarFor,
    peerAuthentications,
    meshTls: stage(memo, 'mesh TLS', [peerAuthentications, ...sidecars], report, () => meshTls(peerAuthentications, sidecarFor, config)),
    shared(namespace, by) {
      const byNamespace = getOrMake(scopes, by, () => new Map<string, SharedScope>());
      return getOrMake(byNamespace, namespace, () =>
        typeof by === 'object' ? sidecarScope(by, namespace, inputs) : namespaceScope(namespace, by === 'gateway', inputs),
      );
    },
    problems,
    memo,
  };
  return { routing, index };
}
