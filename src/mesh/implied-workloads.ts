import type { Resource } from '../config/resource.ts';
import { type Labelled, selects } from './gateways.ts';
import { equalLabels, isSubset, type Labels, labelOf } from './labels.ts';
import { NO_LOCALITY } from './locality.ts';
import { getOrMake } from './memo.ts';
import type { GatewayView, Mesh, Workload } from './types.ts';

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
      network: mesh.home?.network ?? '',
      nodeName: '',
      workloadName: name,
      ports: {},
      resource,
      ...(mesh.home && { cluster: mesh.home }),
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

/** Whose a selector is: one for each that differs. */
type Selection = Pick<GatewayView, 'selector' | 'namespace'>;

/** The selectors of a list of Gateways: many Gateways share a few. */
const selections = new WeakMap<readonly GatewayView[], readonly Selection[]>();

function distinctSelections(gateways: readonly GatewayView[]): readonly Selection[] {
  const byText = new Map<string, Selection>();
  for (const { selector, namespace } of gateways) {
    if (hasLabels(selector)) byText.set(JSON.stringify([namespace, Object.entries(selector).sort()]), { selector, namespace });
  }
  return [...byText.values()];
}

/** Whether a workload is a gateway: the selector of a Gateway, unless empty, picks it. */
export function isGatewayWorkload(gateways: readonly GatewayView[], workload: Labelled): boolean {
  return getOrMake(selections, gateways, distinctSelections).some((selection) => selects(selection, workload));
}

const same = (a: Selection, b: Selection): boolean => a.namespace === b.namespace && equalLabels(a.selector, b.selector);

/** Whether whoever serves `b` serves `a` as well. */
const within = (a: Selection, b: Selection): boolean =>
  (a.namespace === undefined || a.namespace === b.namespace) && isSubset(a.selector, b.selector);

/**
 * Gateway proxies for Gateways whose selectors match none of `workloads`: one for each distinct selector, in the namespace of the oldest
 * Gateway that has it; for the Gateway API's one for each, of its name. A selector that is part of another one's needs no proxy of its own,
 * nor does an empty one beside any gateway.
 */
export function impliedGateways(mesh: Mesh, workloads: readonly Workload[]): readonly Workload[] {
  const { gateways } = mesh;
  const missing: GatewayView[] = [];
  for (const gateway of gateways) {
    if (hasLabels(gateway.selector) && workloads.some((w) => selects(gateway, w))) continue;
    if (!missing.some((other) => same(other, gateway))) missing.push(gateway);
  }
  const served = workloads.some((w) => isGatewayWorkload(gateways, w));
  const needed = missing.filter((gateway) => {
    if (!hasLabels(gateway.selector)) return !served && missing.length === 1;
    return !missing.some((other) => other !== gateway && within(gateway, other));
  });
  const names = new Set<string>();
  return needed.map(({ resource, selector }) => {
    const { namespace, name: own } = resource.metadata;
    const wanted = labelOf(selector, 'istio') ?? own;
    const name = [wanted, own, `${own}-gateway`].find((n) => !names.has(`${namespace}/${n}`)) ?? own;
    names.add(`${namespace}/${name}`);
    return implied(mesh, name, namespace, selector, resource);
  });
}
