/**
 * What agents may write besides certificate requests: what their own proxies have taken, in a ConfigMap of their own pod, and the status of the
 * cluster's objects when it is their turn. docs/status.md
 */
import type { Settings } from '../settings/resolve.ts';
import { accountSubject, clusterAccess, namespaceAccess, type Rule } from './access.ts';
import { agentAccount, labelsOf, revisioned } from './names.ts';
import type { Manifest } from './object.ts';

const LEASE = 'fairlead-status';
/** Of the agents' ConfigMaps; what follows is the pod's name. */
const PREFIX = 'fairlead-status-';

const CLUSTER_RULES: readonly Rule[] = [
  {
    apiGroups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io', 'gateway.networking.k8s.io'],
    resources: ['*/status'],
    verbs: ['patch'],
  },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];
/** RBAC cannot say which names are created: the admission policy does. */
const RULES: readonly Rule[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'list', 'patch', 'watch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [LEASE], verbs: ['get', 'update'] },
];

/** Service accounts of the agents that write status: those of nodes, and of gateways. */
const writers = (settings: Settings): string[] => [
  ...(settings.agent.enabled ? [agentAccount(settings)] : []),
  ...settings.gateways.map(({ name }) => revisioned(settings, name)),
];

const lease = (namespace: string, labels: Record<string, string>): Manifest => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: LEASE, namespace, labels },
});

/** Empty where nobody writes status. */
export function statusObjects(settings: Settings, version: string): Manifest[] {
  const { namespace } = settings;
  const accounts = settings.status ? writers(settings) : [];
  if (accounts.length === 0) return [];
  const labels = labelsOf('agent', settings, version);
  const name = revisioned(settings, 'fairlead-status');
  const cluster = { name: `${name}-${namespace}`, labels };
  const subjects = accounts.map((account) => accountSubject(account, namespace));
  return [
    ...admission(settings, cluster, accounts),
    ...clusterAccess(cluster, CLUSTER_RULES, subjects),
    ...namespaceAccess({ name, namespace, labels }, RULES, subjects),
    // That nothing stays behind; all revisions share it.
    ...(settings.revision === '' ? [lease(namespace, labels)] : []),
  ];
}

/**
 * An agent that was broken into must not exchange the CA's roots or the MeshConfig, which are ConfigMaps too.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
function admission({ namespace }: Settings, metadata: Manifest['metadata'], accounts: readonly string[]): Manifest[] {
  const users = accounts.map((account) => `'system:serviceaccount:${namespace}:${account}'`).join(', ');
  const pod = "'authentication.kubernetes.io/pod-name'";
  const own = `${pod} in request.userInfo.extra && object.metadata.name == '${PREFIX}' + request.userInfo.extra[${pod}][0]`;
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'], scope: 'Namespaced' },
          ],
        },
        matchConditions: [{ name: 'agents', expression: `request.userInfo.username in [${users}]` }],
        validations: [
          {
            expression: own,
            message: `an agent writes the ConfigMap ${PREFIX}POD of its own pod, and no other`,
            reason: 'Forbidden',
          },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ];
}
