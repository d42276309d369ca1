/**
 * The CA: one pod with a volume of its own. `ca serve` keeps its keys, its state and its audit log in a directory that one process at a time
 * may hold; so there is one replica, and the old pod ends before the new one starts. Issued certificates outlive its absence.
 */
import type { Settings } from '../settings/resolve.ts';
import { CA_NAME, CA_PORT, labelsOf, ROOTS_CONFIG_MAP, TOKEN_AUDIENCE, WEBHOOK_NAME } from './names.ts';
import type { Manifest } from './object.ts';
import {
  containerSecurity,
  imageOf,
  placementFields,
  podSecurity,
  pullSecrets,
  scratchEnvironment,
  scratchMount,
  scratchVolume,
} from './pods.ts';

const MOUNT = '/var/lib/fairlead-ca';
/** A folder of the volume: the volume's own root belongs to somebody else. */
const DIRECTORY = `${MOUNT}/authority`;
const DEFAULT_TRUST_DOMAIN = 'cluster.local';

const BASE = { revision: '' };

export function caObjects(settings: Settings, version: string): Manifest[] {
  const { namespace, ca } = settings;
  const labels = labelsOf('ca', BASE, version);
  const metadata = { name: CA_NAME, namespace, labels };
  const selector = { 'app.kubernetes.io/name': 'fairlead', 'app.kubernetes.io/component': 'ca' };
  const rbac = 'rbac.authorization.k8s.io';
  const subjects = [{ kind: 'ServiceAccount', name: CA_NAME, namespace }];
  const cluster = { name: `${CA_NAME}-${namespace}`, labels };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: cluster,
      // Whose token is it?
      rules: [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: cluster,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: cluster.name },
      subjects,
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [ROOTS_CONFIG_MAP], verbs: ['patch'] }],
    },
    { apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata, roleRef: { apiGroup: rbac, kind: 'Role', name: CA_NAME }, subjects },
    // The CA writes its roots into it; pods that need them wait until it has.
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: ROOTS_CONFIG_MAP } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: ca.storage.size } },
        ...(ca.storage.className === undefined ? {} : { storageClassName: ca.storage.className }),
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector, ports: [{ name: 'tls-ca', port: CA_PORT, targetPort: CA_PORT, protocol: 'TCP' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: selector },
        template: { metadata: { labels: { ...labels, ...NO_SIDECAR } }, spec: podSpec(settings) },
      },
    },
  ];
}

/** Whatever injects sidecars leaves these pods alone. */
export const NO_SIDECAR = { 'sidecar.istio.io/inject': 'false' };

function podSpec(settings: Settings): object {
  const { namespace, ca, meshConfig, logFormat } = settings;
  const trustDomain = meshConfig.trustDomain || DEFAULT_TRUST_DOMAIN;
  const names = [`${CA_NAME}.${namespace}.svc`, `${CA_NAME}.${namespace}.svc.cluster.local`, `${CA_NAME}.${namespace}`];
  const base = {
    ...imageOf(settings),
    securityContext: containerSecurity,
    env: scratchEnvironment,
    resources: ca.resources,
    volumeMounts: [{ name: 'authority', mountPath: MOUNT }, scratchMount],
  };
  return {
    serviceAccountName: CA_NAME,
    automountServiceAccountToken: true,
    securityContext: podSecurity,
    ...pullSecrets(settings),
    ...placementFields(ca),
    initContainers: [{ ...base, name: 'init', args: ['ca', 'init', '--if-missing', '--ca-dir', DIRECTORY, '--trust-domain', trustDomain] }],
    containers: [
      {
        ...base,
        name: 'ca',
        args: [
          ...['ca', 'serve', '--kubernetes', '--ca-dir', DIRECTORY, '--listen', '0.0.0.0', '--port', String(CA_PORT)],
          ...names.flatMap((name) => ['--host', name]),
          // The API server knows the server of webhooks by its name.
          ...['--allow-host', `${namespace}/${WEBHOOK_NAME}*=${WEBHOOK_NAME}*.${namespace}.svc`],
          ...['--token-audience', TOKEN_AUDIENCE, '--roots-config-map', `${namespace}/${ROOTS_CONFIG_MAP}`, '--log-format', logFormat],
        ],
        ports: [{ name: 'tls-ca', containerPort: CA_PORT, protocol: 'TCP' }],
        // Its port answers nobody by another name than its own, so HTTP probes by address would be refused.
        readinessProbe: { tcpSocket: { port: 'tls-ca' }, periodSeconds: 5 },
        livenessProbe: { tcpSocket: { port: 'tls-ca' }, periodSeconds: 20, failureThreshold: 3 },
      },
    ],
    volumes: [{ name: 'authority', persistentVolumeClaim: { claimName: CA_NAME } }, scratchVolume],
  };
}
