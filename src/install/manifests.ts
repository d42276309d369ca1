/** Settings -> the objects of an installation, in the order in which they are applied. */
import { stringify } from 'yaml';
import { kinds } from '../config/kinds/registry.ts';
import { customResourceDefinitions } from './crds.ts';
import { agentObjects } from './objects/agent-objects.ts';
import { caObjects } from './objects/ca-objects.ts';
import { gatewayObjects } from './objects/gateway-objects.ts';
import { labelsOf, MESH_CONFIG_MAP } from './objects/names.ts';
import type { Manifest } from './objects/object.ts';
import { readerObjects } from './objects/reader-objects.ts';
import { statusObjects } from './objects/status-objects.ts';
import { webhookObjects } from './objects/webhook-objects.ts';
import type { Settings } from './settings/resolve.ts';

/** What is needed by others comes first. */
const ORDER = [
  // Nobody gets a right before what bounds it.
  ...[
    'Namespace',
    'CustomResourceDefinition',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ServiceAccount',
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
  ],
  ...[
    'ConfigMap',
    'Secret',
    'Lease',
    'PersistentVolumeClaim',
    'ResourceQuota',
    'Service',
    'Deployment',
    'DaemonSet',
    'PodDisruptionBudget',
    'HorizontalPodAutoscaler',
  ],
  // Nobody is asked before somebody answers.
  ...['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
];

/**
 * All objects. A revision stands beside the installation that has none: it has gateways and permissions of its own, and shares the
 * namespace, the definitions, the CA and the MeshConfig.
 *
 * @param version Fairlead's own
 */
export function manifestsOf(settings: Settings, version: string): Manifest[] {
  const shared = settings.revision === '' ? [...base(settings, version), ...caObjects(settings, version)] : [];
  const agents = settings.agent.enabled ? agentObjects(settings, version) : [];
  const gateways = settings.gateways.flatMap((gateway) => gatewayObjects(settings, gateway, version));
  const webhooks = settings.injection.enabled ? webhookObjects(settings, version) : [];
  return [...shared, ...readerObjects(settings, version), ...statusObjects(settings, version), ...agents, ...gateways, ...webhooks].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind),
  );
}

/**
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/ A pod may have a folder of its node only under `privileged`; whatever else is not
 * `restricted` is still told of.
 */
function podSecurityLabels({ agent }: Settings): Record<string, string> {
  const label = 'pod-security.kubernetes.io/';
  if (!agent.enabled) return { [`${label}enforce`]: 'restricted' };
  return { [`${label}enforce`]: 'privileged', [`${label}audit`]: 'restricted', [`${label}warn`]: 'restricted' };
}

function base(settings: Settings, version: string): Manifest[] {
  const labels = labelsOf('base', { revision: '' }, version);
  const namespace: Manifest = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: settings.namespace,
      labels: {
        ...labels,
        // Its pods are the mesh's own.
        'istio-injection': 'disabled',
        ...podSecurityLabels(settings),
      },
    },
  };
  const meshConfig: Manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: MESH_CONFIG_MAP, namespace: settings.namespace, labels },
    data: { mesh: stringify(settings.meshConfig, { lineWidth: 0 }) },
  };
  const definitions = settings.definitions ? (customResourceDefinitions(kinds) as unknown as Manifest[]) : [];
  return [namespace, ...definitions, meshConfig];
}
