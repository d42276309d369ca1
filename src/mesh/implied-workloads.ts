import type { Gateway } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { equalLabels, isSubset, type Labels, labelOf } from './labels.ts';
import { NO_LOCALITY } from './locality.ts';
import { getOrMake } from './memo.ts';
import type { Mesh, Workload } from './types.ts';

/** Implied workloads by what they are, as long as the mesh's routing is the same. */
const memo = new WeakMap<object, Map<string, Workload>>();

function implied(mesh: Mesh, name: string, namespace: string, labels: Labels, resource: Resource | undefined): Workload {
  const known = getOrMake(memo, mesh.routingVersion, () => new Map<string, Workload>());
  const key = JSON.stringify([name, namespace, labels]);
  let workload = known.get(key);
  if (workload === undefined) {
    workload = {
      name,
      namespace,
      kind: 'implied',
      labels,
      annotations: {},
      addresses: ['127.0.0.1'],
      serviceAccount: 'default',
      locality: NO_LOCALITY,
      network: '',
      nodeName: '',
      workloadName: name,
      ports: {},
      resource,
    };
    known.set(key, workload);
  }
  return workload;
}

/** The client that is there when a host has no sidecar, so that an HTTP proxy always is. */
export function impliedClient(mesh: Mesh): Workload {
  return implied(mesh, 'client', 'default', {}, undefined);
}

const hasLabels = (labels: Labels): boolean => Object.keys(labels).length > 0;

/** The selectors of a list of Gateways: many Gateways share a few. */
const selectors = new WeakMap<readonly Resource<Gateway>[], readonly Labels[]>();

function distinctSelectors(gateways: readonly Resource<Gateway>[]): readonly Labels[] {
  const byText = new Map<string, Labels>();
  for (const { spec } of gateways) {
    const { selector = {} } = spec;
    if (hasLabels(selector)) byText.set(JSON.stringify(Object.entries(selector).sort()), selector);
  }
  return [...byText.values()];
}

/** Whether a workload is a gateway: the selector of a Gateway, unless empty, picks it. */
export function isGatewayWorkload(gateways: readonly Resource<Gateway>[], labels: Labels): boolean {
  return getOrMake(selectors, gateways, distinctSelectors).some((selector) => isSubset(selector, labels));
}

/**
 * Gateway proxies for Gateways whose selectors match none of `workloads`: one for each distinct selector, in the namespace of the oldest
 * Gateway that has it. A selector that is part of another one's needs no proxy of its own, nor does an empty one beside any gateway.
 */
export function impliedGateways(mesh: Mesh, workloads: readonly Workload[]): readonly Workload[] {
  const gateways = mesh.ofKind<Gateway>('Gateway');
  const missing: Resource<Gateway>[] = [];
  const selectorOf = (gateway: Resource<Gateway>): Labels => gateway.spec.selector ?? {};
  for (const gateway of gateways) {
    const selector = selectorOf(gateway);
    if (hasLabels(selector) && workloads.some((w) => isSubset(selector, w.labels))) continue;
    if (!missing.some((other) => equalLabels(selectorOf(other), selector))) missing.push(gateway);
  }
  const served = workloads.some((w) => isGatewayWorkload(gateways, w.labels));
  const needed = missing.filter((gateway) => {
    const selector = selectorOf(gateway);
    if (!hasLabels(selector)) return !served && missing.length === 1;
    return !missing.some((other) => other !== gateway && isSubset(selector, selectorOf(other)));
  });
  const names = new Set<string>();
  return needed.map((gateway) => {
    const { namespace, name: own } = gateway.metadata;
    const selector = selectorOf(gateway);
    const wanted = labelOf(selector, 'istio') ?? own;
    const name = [wanted, own, `${own}-gateway`].find((n) => !names.has(`${namespace}/${n}`)) ?? own;
    names.add(`${namespace}/${name}`);
    return implied(mesh, name, namespace, selector, gateway);
  });
}
