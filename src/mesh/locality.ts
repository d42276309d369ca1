import type { HomeCluster, Resource } from '../config/resource.ts';
import { type Labels, labelOf } from './labels.ts';
import type { Locality } from './types.ts';

export const NO_LOCALITY: Locality = Object.freeze({ region: '', zone: '', subzone: '' });

/** `region/zone/subzone`; missing parts are empty. */
export function parseLocality(text: string): Locality {
  const [region = '', zone = '', subzone = ''] = text.split('/');
  return { region, zone, subzone };
}

/** What the labels of a Pod or WorkloadEntry say. Label values cannot hold slashes, so dots stand for them there. */
export function localityOfLabels(labels: Labels): Locality | undefined {
  const value = labelOf(labels, 'topology.istio.io/locality') ?? labelOf(labels, 'istio-locality');
  if (value === undefined) return undefined;
  return parseLocality(value.includes('/') ? value : value.replaceAll('.', '/'));
}

/** What the labels of a Kubernetes Node say; the beta names count where the stable ones are absent. */
export function localityOfNode(labels: Labels): Locality {
  return {
    region: labelOf(labels, 'topology.kubernetes.io/region') ?? labelOf(labels, 'failure-domain.beta.kubernetes.io/region') ?? '',
    zone: labelOf(labels, 'topology.kubernetes.io/zone') ?? labelOf(labels, 'failure-domain.beta.kubernetes.io/zone') ?? '',
    subzone: labelOf(labels, 'topology.istio.io/subzone') ?? '',
  };
}

/** The cluster that endpoints carry in their labels: Istio's name for the only one. */
export const CLUSTER_ID = 'Kubernetes';

/** The name of the cluster that something runs in. */
export function clusterId({ cluster }: { cluster?: HomeCluster | undefined }): string {
  return cluster?.id ?? CLUSTER_ID;
}

/** What an object is known by across clusters; of the own one by what it is known by there. `cluster` is what `remoteId` gives. */
export function clusterKey(cluster: string, key: string): string {
  return cluster === '' ? key : `${cluster}\n${key}`;
}

/** What an object is known by in its own cluster. */
export function keyInCluster(key: string): string {
  return key.slice(key.indexOf('\n') + 1);
}

/** The network of what runs in an object's cluster and names none. */
export function defaultNetwork({ cluster }: Pick<Resource, 'cluster'>): string {
  return cluster?.network ?? '';
}

/** Labels of an endpoint: those of its workload plus where it runs, so that subsets can be made by place. */
export function withTopology(
  labels: Labels,
  place: { locality: Locality; nodeName: string; network: string; cluster?: HomeCluster | undefined },
): Labels {
  const out: Record<string, string> = { ...labels, 'topology.istio.io/cluster': clusterId(place) };
  const { locality, nodeName, network } = place;
  if (locality.region) out['topology.kubernetes.io/region'] = locality.region;
  if (locality.zone) out['topology.kubernetes.io/zone'] = locality.zone;
  if (locality.subzone) out['topology.istio.io/subzone'] = locality.subzone;
  if (nodeName) out['kubernetes.io/hostname'] = nodeName;
  if (network) out['topology.istio.io/network'] = network;
  return out;
}
