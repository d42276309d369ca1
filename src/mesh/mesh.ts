import { isDeepStrictEqual } from 'node:util';
import type { Deployment } from '../config/kinds/kubernetes.ts';
import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import type { Resource, Source } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import { endpointChanges, type ResourceChanges, resourceChanges, workloadChanges } from './changes.ts';
import { checkEntryAddresses } from './check-entry-addresses.ts';
import { checkAnnotations } from './checks.ts';
import { buildEndpointState, type EndpointState } from './endpoint-state.ts';
import { followEndpointState, updateEndpointState } from './endpoint-update.ts';
import { endpointsOf } from './endpoints.ts';
import { completeHost } from './host-match.ts';
import { getOrMake } from './memo.ts';
import { resolveMeshConfig } from './mesh-config.ts';
import { networksOf } from './networks.ts';
import { compareResources } from './order.ts';
import { bringsDoubles, indexResources, type ResourceIndex } from './resource-index.ts';
import { buildRouting, type Routing } from './routing.ts';
import { scopeOf } from './scope.ts';
import type { Mesh, ProxyNode, ProxyScope, Service, WorkloadTemplate } from './types.ts';
import type { WorkloadSet } from './workload-set.ts';
import { TEMPLATE_KINDS, workloadTemplate } from './workload-templates.ts';

/** What a mesh is made of; kept beside it for the next one. */
interface Parts {
  /** As they were handed in, duplicates included. */
  given: readonly Resource[];
  meshConfig: MeshConfig | undefined;
  configSource: Source | undefined;
  index: ResourceIndex;
  routing: Routing;
  state: EndpointState;
  version: object;
}

const partsOf = new WeakMap<Mesh, Parts>();

function templates(index: ResourceIndex): readonly WorkloadTemplate[] {
  return [...TEMPLATE_KINDS]
    .flatMap((kind) => index.ofKind<Deployment>(kind))
    .sort(compareResources)
    .map(workloadTemplate);
}

/** Problems of workloads, while these stay the same. */
const workloadProblems = new WeakMap<WorkloadSet, readonly Problem[]>();

function workloadProblemsOf(workloads: WorkloadSet, services: readonly Service[]): readonly Problem[] {
  const found: Problem[] = [];
  const report = (problem: Problem): void => {
    found.push(problem);
  };
  checkAnnotations(workloads.all, report);
  checkEntryAddresses(workloads.all, services, report);
  return found;
}

/** An object for each combination of what endpoints are computed from. */
const endpointsVersions = new WeakMap<object, WeakMap<object, object>>();

function assemble(parts: Parts): Mesh {
  const { index, routing, state, version } = parts;
  const { registry, config } = routing;
  const scopes = new WeakMap<ProxyNode, ProxyScope>();
  let problems: readonly Problem[] | undefined;
  let workloadTemplates: readonly WorkloadTemplate[] | undefined;
  let networks: Mesh['networks'] | undefined;
  const endpoints: Mesh['endpoints'] = (service, port) =>
    routing.meshTls.refine(endpointsOf(service, port, { registry, inputs: state.inputs, cache: state.cache }));
  const instanceInputs = { registry, endpoints, currentEntry: state.inputs.currentEntry };
  const mesh: Mesh = {
    config,
    configSource: parts.configSource,
    resources: index.own,
    services: registry.services,
    get workloads() {
      return state.inputs.workloads.all;
    },
    get home() {
      return index.own.find((resource) => resource.cluster !== undefined)?.cluster;
    },
    get networks() {
      networks ??= networksOf(index, state.inputs.workloads);
      return networks;
    },
    get workloadTemplates() {
      workloadTemplates ??= templates(index);
      return workloadTemplates;
    },
    completeHost: (host, namespace) => completeHost(host, namespace, config.domain),
    gateways: routing.gateways,
    gatewayApi: routing.gatewayApi,
    ofKind: (kind) => index.ofKind(kind),
    endpoints,
    endpointChanges: state.changed,
    endpointsVersion: getOrMake(
      getOrMake(endpointsVersions, state.inputs, () => new WeakMap<object, object>()),
      routing.meshTls,
      () => ({}),
    ),
    peerAuthentications: routing.peerAuthentications,
    scope: (proxy) => getOrMake(scopes, proxy, () => scopeOf(proxy, routing, instanceInputs)),
    routingVersion: version,
    get problems() {
      if (problems === undefined) {
        const { workloads } = state.inputs;
        const own = getOrMake(workloadProblems, workloads, () => workloadProblemsOf(workloads, registry.services));
        problems = own.length === 0 ? routing.problems : [...routing.problems, ...own];
      }
      return problems;
    },
  };
  partsOf.set(mesh, parts);
  return mesh;
}

function updateEndpoints(previous: Parts, resources: readonly Resource[], all: ResourceChanges): Parts | undefined {
  const changes = endpointChanges(all);
  if (changes === undefined) return undefined;
  const { state, routingChanged } = updateEndpointState(previous.state, changes, previous.routing.registry);
  return { ...previous, given: resources, index: indexResources(resources), state, version: routingChanged ? {} : previous.version };
}

/** Builds the routing anew from what did not change; endpoints of services that are the same are kept. */
function updateRouting(previous: Parts, resources: readonly Resource[], all: ResourceChanges): Parts {
  const before = { memo: previous.routing.memo, doubles: bringsDoubles(all.added, resources) };
  const { routing, index } = buildRouting(resources, previous.routing.config, before);
  const changes = index.resources === resources ? workloadChanges(all) : undefined;
  const state = changes === undefined ? buildEndpointState(index) : followEndpointState(previous.state, changes, routing.registry);
  return { ...previous, given: resources, index, routing, state, version: {} };
}

/**
 * The mesh that `resources` describe. With `previous`, a mesh of mostly the same resources (unchanged ones being the same objects),
 * a change of nothing but endpoints shares all the rest and keeps `routingVersion`, in time proportional to the change. After any other
 * change services, VirtualServices, rules and endpoints that come out the same are the same objects.
 *
 * What cannot be carried out is in `problems` and left out; nothing is thrown.
 *
 * @param options.meshConfigSource where the settings stand, for the positions of what is said about them
 */
export function buildMesh(
  resources: readonly Resource[],
  options: { meshConfig?: MeshConfig | undefined; meshConfigSource?: Source | undefined; previous?: Mesh | undefined } = {},
): Mesh {
  const { meshConfig, meshConfigSource: configSource } = options;
  const previous = options.previous && partsOf.get(options.previous);
  if (previous !== undefined && (previous.meshConfig === meshConfig || isDeepStrictEqual(previous.meshConfig, meshConfig))) {
    // Which of two of one name counts may change with either.
    if (previous.index.resources === previous.given) {
      const changes = resourceChanges(previous.given, resources);
      const updated = updateEndpoints(previous, resources, changes) ?? updateRouting(previous, resources, changes);
      return assemble({ ...updated, configSource });
    }
  }
  const { routing, index } = buildRouting(resources, resolveMeshConfig(meshConfig));
  return assemble({ given: resources, meshConfig, configSource, index, routing, state: buildEndpointState(index), version: {} });
}
