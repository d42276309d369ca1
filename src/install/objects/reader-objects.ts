/** What agents may read: the mesh, and nothing else; docs/kubernetes.md says why each. */
import type { Settings } from '../settings/resolve.ts';
import { accountSubject, accountsOf, clusterAccess, namespaceAccess, type Rule } from './access.ts';
import { agentAccount, labelsOf, MESH_CONFIG_MAP, revisioned } from './names.ts';
import type { Manifest } from './object.ts';

const READ = ['list', 'watch'];
const RULES: readonly Rule[] = [
  {
    apiGroups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io', 'gateway.networking.k8s.io'],
    resources: ['*'],
    verbs: READ,
  },
  { apiGroups: [''], resources: ['services', 'pods', 'nodes', 'namespaces'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
];

/** For the agents of gateways, of nodes, and of sidecars that read the mesh themselves. Empty when there are none. */
export function readerObjects(settings: Settings, version: string): Manifest[] {
  const { namespace, gateways, injection, agent } = settings;
  const labels = labelsOf('agent', settings, version);
  const name = revisioned(settings, 'fairlead-agent');
  const subjects = [
    ...gateways.map((gateway) => accountSubject(revisioned(settings, gateway.name), namespace)),
    ...(agent.enabled ? [accountSubject(agentAccount(settings), namespace)] : []),
    // A sidecar that has no agent of its node reads the mesh as the service account of its pod.
    ...(injection.enabled ? injection.namespaces.map(accountsOf) : []),
  ];
  if (subjects.length === 0) return [];
  const meshConfig = { apiGroups: [''], resources: ['configmaps'], resourceNames: [MESH_CONFIG_MAP], verbs: ['get', ...READ] };
  return [
    ...clusterAccess({ name: `${name}-${namespace}`, labels }, RULES, subjects),
    ...namespaceAccess({ name, namespace, labels }, [meshConfig], subjects),
  ];
}
