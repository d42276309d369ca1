/**
 * The CA: one pod with a volume of its own. `ca serve` keeps its keys, its state and its audit log in a directory that one process at a time
 * may hold; so there is one replica, and the old pod ends before the new one starts. Issued certificates outlive its absence.
 */
import type { Settings } from '../settings/resolve.ts';
import { accountSubject, clusterAccess, namespaceAccess, type Rule } from './access.ts';
import { AGENT_NAME, CA_NAME, CA_PORT, labelsOf, ROOTS_CONFIG_MAP, SIGNER_NAME, TOKEN_AUDIENCE, WEBHOOK_NAME } from './names.ts';
import type { Manifest } from './object.ts';
import { containerSecurity, imageOf, NO_SIDECAR, podFields, scratchEnvironment, scratchMount, scratchVolume } from './pods.ts';

const MOUNT = '/var/lib/fairlead-ca';
/** A folder of the volume: the volume's own root belongs to somebody else. */
const DIRECTORY = `${MOUNT}/authority`;
const DEFAULT_TRUST_DOMAIN = 'cluster.local';

const BASE = { revision: '' };

const CLUSTER_RULES: readonly Rule[] = [
  // Whose token is it?
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
  {
    apiGroups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests/approval', 'certificatesigningrequests/status'],
    verbs: ['update'],
  },
  // Into those it may write the answers of this signer alone.
  { apiGroups: ['certificates.k8s.io'], resources: ['signers'], resourceNames: [SIGNER_NAME], verbs: ['approve', 'sign'] },
  // Does the pod run on the node whose agent asks for it?
  { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
];
const RULES: readonly Rule[] = [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [ROOTS_CONFIG_MAP], verbs: ['patch'] }];

export function caObjects(settings: Settings, version: string): Manifest[] {
  const { namespace, ca } = settings;
  const labels = labelsOf('ca', BASE, version);
  const metadata = { name: CA_NAME, namespace, labels };
  const selector = { 'app.kubernetes.io/name': 'fairlead', 'app.kubernetes.io/component': 'ca' };
  const subjects = [accountSubject(CA_NAME, namespace)];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ...clusterAccess({ name: `${CA_NAME}-${namespace}`, labels }, CLUSTER_RULES, subjects),
    ...namespaceAccess(metadata, RULES, subjects),
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
    ...podFields(settings, CA_NAME, ca),
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
          // The agents of all revisions.
          ...['--signer', SIGNER_NAME, '--node-agents', `${namespace}/${AGENT_NAME}*`],
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
