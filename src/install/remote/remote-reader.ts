/** Who reads a cluster from another one, and the Secret that lets it. https://istio.io/latest/docs/setup/install/multicluster/multi-primary/ */
import { accountSubject, clusterAccess } from '../objects/access.ts';
import type { Manifest } from '../objects/object.ts';

/** The service account that is made when none is named. */
export const REMOTE_READER = 'fairlead-remote-reader';

const READ = ['list', 'watch'];
const RULES = [
  { apiGroups: [''], resources: ['services', 'pods', 'nodes', 'namespaces'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
  { apiGroups: ['networking.istio.io'], resources: ['workloadentries'], verbs: READ },
];

/** The service account in `namespace`, and all that it may do: read where endpoints are. No configuration, no Secrets. */
export function remoteReaderObjects(namespace: string): Manifest[] {
  const labels = { 'app.kubernetes.io/name': REMOTE_READER, 'app.kubernetes.io/part-of': 'fairlead' };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: REMOTE_READER, namespace, labels } },
    ...clusterAccess({ name: `${REMOTE_READER}-${namespace}`, labels }, RULES, [accountSubject(REMOTE_READER, namespace)]),
  ];
}

export interface RemoteAccess {
  /** What the cluster is called elsewhere. */
  cluster: string;
  /** Istio's namespace, where agents look for the Secret. */
  namespace: string;
  server: string;
  /** Base64 of PEM; undefined: the system's roots. */
  ca: string | undefined;
  token: string;
}

/** The Secret, as istioctl writes it: one key, the cluster's name, with a kubeconfig. */
export function remoteSecret({ cluster, namespace, server, ca, token }: RemoteAccess): Manifest {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, ...(ca === undefined ? {} : { 'certificate-authority-data': ca }) } }],
    users: [{ name: cluster, user: { token } }],
    contexts: [{ name: cluster, context: { cluster, user: cluster } }],
    'current-context': cluster,
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `istio-remote-secret-${cluster.toLowerCase()}`,
      namespace,
      labels: { 'istio/multiCluster': 'true' },
      annotations: { 'networking.istio.io/cluster': cluster },
    },
    // JSON is YAML: nothing in it needs another parser, whoever reads it.
    stringData: { [cluster]: `${JSON.stringify(config, null, 2)}\n` },
  };
}
