/** What the agents of gateways and sidecars may read: the mesh, and nothing else; docs/kubernetes.md says why each. */
import type { Settings } from '../settings/resolve.ts';
import { labelsOf, MESH_CONFIG_MAP, revisioned } from './names.ts';
import type { Manifest } from './object.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects */
const accountsOf = (namespace: string): string => `system:serviceaccounts${namespace === '*' ? '' : `:${namespace}`}`;

export function readerObjects(settings: Settings, version: string): Manifest[] {
  const { namespace, gateways, injection } = settings;
  const labels = labelsOf('agent', settings, version);
  const name = revisioned(settings, 'fairlead-agent');
  const cluster = { name: `${name}-${namespace}`, labels };
  const metadata = { name, namespace, labels };
  const subjects = [
    ...gateways.map((gateway) => ({ kind: 'ServiceAccount', name: revisioned(settings, gateway.name), namespace })),
    // A sidecar's agent reads the mesh as the service account of its pod.
    ...(injection.enabled ? injection.namespaces.map((name) => ({ kind: 'Group', apiGroup: RBAC, name: accountsOf(name) })) : []),
  ];
  return [
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: cluster,
      rules: [
        {
          apiGroups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io', 'gateway.networking.k8s.io'],
          resources: ['*'],
          verbs: ['list', 'watch'],
        },
        { apiGroups: [''], resources: ['services', 'pods', 'nodes', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: cluster,
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: cluster.name },
      subjects,
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [MESH_CONFIG_MAP], verbs: ['get', 'list', 'watch'] }],
    },
    { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef: { apiGroup: RBAC, kind: 'Role', name }, subjects },
  ];
}
