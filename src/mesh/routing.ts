import type { KubernetesService } from '../config/kinds/kubernetes.ts';
import type { DestinationRule, Gateway, ServiceEntry, Sidecar, VirtualService } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { checkDestinations, checkDuplicateHosts } from './checks.ts';
import { buildDestinationRules, type DestinationRules } from './destination-rules.ts';
import { getOrMake } from './memo.ts';
import { indexResources, type ResourceIndex, withoutDuplicates } from './resource-index.ts';
import { buildServiceRegistry, type ServiceRegistry } from './service-registry.ts';
import { entryServices } from './services-entry.ts';
import { kubernetesService, type ServiceContext } from './services-kubernetes.ts';
import { namespaceScope, type SharedScope, sidecarScope } from './sidecar-scope.ts';
import { buildSidecarSelection, type SidecarSelection } from './sidecar-selection.ts';
import type { ResolvedMeshConfig } from './types.ts';
import { buildVirtualServices, type VirtualServices } from './virtual-services.ts';

/** The part of a mesh that endpoint changes leave alone. */
export interface Routing {
  config: ResolvedMeshConfig;
  registry: ServiceRegistry;
  virtualServices: VirtualServices;
  destinationRules: DestinationRules;
  /** Oldest first. */
  gateways: readonly Resource<Gateway>[];
  sidecarFor: SidecarSelection;
  /** What proxies of `namespace` with this Sidecar share; gateways have none. Computed when first asked for. */
  shared(namespace: string, by: Resource<Sidecar> | 'gateway' | undefined): SharedScope;
  problems: readonly Problem[];
}

/** Builds everything that routes and clusters follow from. Also returns the resources without duplicates. */
export function buildRouting(given: readonly Resource[], config: ResolvedMeshConfig): { routing: Routing; index: ResourceIndex } {
  const problems: Problem[] = [];
  const report = (problem: Problem): void => void problems.push(problem);
  const index = indexResources(withoutDuplicates(given, report));
  const context: ServiceContext = { config, namespaces: new Map(index.ofKind('Namespace').map((n) => [n.metadata.name, n])) };
  const registry = buildServiceRegistry(
    [
      ...index.ofKind<KubernetesService>('Service').map((resource) => kubernetesService(resource, context)),
      ...index.ofKind<ServiceEntry>('ServiceEntry').flatMap((resource) => entryServices(resource, context, report)),
    ],
    report,
  );
  const virtualServices = buildVirtualServices(index.ofKind<VirtualService>('VirtualService'), config, report);
  checkDestinations(virtualServices.all, registry.byHost, config.domain, report);
  checkDuplicateHosts(virtualServices.all, report);
  const sidecars = index.ofKind<Sidecar>('Sidecar');
  const inputs = { config, registry, virtualServices };
  const memo = new Map<Resource<Sidecar> | 'gateway' | undefined, Map<string, SharedScope>>();
  const routing: Routing = {
    ...inputs,
    destinationRules: buildDestinationRules(index.ofKind<DestinationRule>('DestinationRule'), config, report),
    gateways: index.ofKind<Gateway>('Gateway'),
    sidecarFor: buildSidecarSelection(sidecars, config.rootNamespace, report),
    shared(namespace, by) {
      const byNamespace = getOrMake(memo, by, () => new Map<string, SharedScope>());
      return getOrMake(byNamespace, namespace, () =>
        typeof by === 'object' ? sidecarScope(by, namespace, inputs) : namespaceScope(namespace, by === 'gateway', inputs),
      );
    },
    problems,
  };
  return { routing, index };
}
