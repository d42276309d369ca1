import type { Kind } from '../config/kinds/kind.ts';
import { kinds } from '../config/kinds/registry.ts';

/** What the model of a mesh is made of, besides Istio's own kinds. Endpoints are not: whatever has them has EndpointSlices as well. */
const MODEL = ['Service', 'EndpointSlice', 'Pod', 'Node', 'Namespace'];
/** Workloads that may have no pods now. */
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];
/** What only an analysis asks for. */
const ANALYSIS = ['ServiceAccount', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration', 'CustomResourceDefinition'];

const isIstio = ({ group }: Kind): boolean => group.endsWith('.istio.io');
const isGatewayApi = ({ group }: Kind): boolean => group === 'gateway.networking.k8s.io';
const isNative = (names: readonly string[]) => (kind: Kind) => names.includes(kind.kind) && !kind.group.startsWith('gateway.');

/** What a running mesh depends on: an agent watches it. */
export const watchedKinds: readonly Kind[] = kinds.filter((kind) => isIstio(kind) || isGatewayApi(kind) || isNative(MODEL)(kind));

/** What an agent watches of other clusters than its own: where endpoints are. Configuration is the own cluster's alone, as Istio has it. */
export const remoteKinds: readonly Kind[] = kinds.filter(
  (kind) => isNative(['Service', 'EndpointSlice', 'Pod', 'Node'])(kind) || kind.kind === 'WorkloadEntry',
);
export const namespaceKind: Kind = kinds.find(({ kind }) => kind === 'Namespace') as Kind;

/** Workloads besides, for commands that look at proxies that do not run yet. */
export const modelKinds: readonly Kind[] = [...watchedKinds, ...kinds.filter(isNative(WORKLOADS))];

/** All that an analysis looks at. */
export const analyzedKinds: readonly Kind[] = [...modelKinds, ...kinds.filter(isNative(ANALYSIS))];

/** Read one by one, by name: nobody should see all of a cluster's Secrets. */
export const secretKind: Kind = kinds.find(({ kind }) => kind === 'Secret') as Kind;
export const configMapKind: Kind = kinds.find(({ kind }) => kind === 'ConfigMap') as Kind;

/** Without these there is no mesh to speak of; of others that may not be read it is said, and the rest is read. */
export function isNeeded(kind: Kind): boolean {
  return isIstio(kind) || ['Service', 'EndpointSlice', 'Pod'].includes(kind.kind);
}
