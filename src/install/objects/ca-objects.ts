/**
 * The CA: pods of which one leads. Its keys and state are in a Secret that they alone may read, and all of them take connections; the others pass
 * them on to the leader. With a volume there is one pod, whose audit log is kept.
 */
import type { Settings } from '../settings/resolve.ts';
import { accountSubject, clusterAccess, namespaceAccess, type Rule } from './access.ts';
import {
  AGENT_NAME,
  CA_NAME,
  CA_PEER_PORT,
  CA_PORT,
  CA_STATE,
  labelsOf,
  ROOTS_CONFIG_MAP,
  SIGNER_NAME,
  TOKEN_AUDIENCE,
  WEBHOOK_NAME,
} from './names.ts';
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
const RULES: readonly Rule[] = [
  { apiGroups: [''], resources: ['configmaps'], resourceNames: [ROOTS_CONFIG_MAP], verbs: ['get', 'patch'] },
  { apiGroups: [''], resources: ['secrets'], resourceNames: [CA_STATE], verbs: ['get', 'list', 'watch', 'update'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [CA_STATE], verbs: ['get', 'update'] },
];

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
    // Made empty, so that nobody needs the right to make any; the CA fills them, and nobody else does.
    { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name: CA_STATE }, type: 'Opaque' },
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...metadata, name: CA_STATE } },
    ...(ca.storage === undefined ? [] : [volumeClaim(metadata, ca.storage)]),
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
        replicas: ca.replicas,
        strategy: ca.storage ? { type: 'Recreate' } : { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: selector },
        template: { metadata: { labels: { ...labels, ...NO_SIDECAR } }, spec: podSpec(settings, selector) },
      },
    },
    ...(ca.storage ? [] : [disruptionBudget(metadata, selector)]),
  ];
}

function disruptionBudget(metadata: Manifest['metadata'], matchLabels: Record<string, string>): Manifest {
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { maxUnavailable: 1, selector: { matchLabels } } };
}

function volumeClaim(metadata: Manifest['metadata'], { size, className }: { size: string; className: string | undefined }): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: size } },
      ...(className === undefined ? {} : { storageClassName: className }),
    },
  };
}

function podSpec(settings: Settings, selector: Record<string, string>): object {
  const { namespace, ca, meshConfig, logFormat } = settings;
  const trustDomain = meshConfig.trustDomain || DEFAULT_TRUST_DOMAIN;
  const names = [`${CA_NAME}.${namespace}.svc`, `${CA_NAME}.${namespace}.svc.cluster.local`, `${CA_NAME}.${namespace}`];
  const base = {
    ...imageOf(settings),
    securityContext: containerSecurity,
    env: [
      ...scratchEnvironment,
      // For commands that somebody runs in the pod.
      { name: 'FAIRLEAD_CA_DIR', value: DIRECTORY },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ],
    resources: ca.resources,
    volumeMounts: [{ name: 'authority', mountPath: MOUNT }, scratchMount],
  };
  const roots = ['--roots-config-map', `${namespace}/${ROOTS_CONFIG_MAP}`];
  const shared = ['--ca-dir', DIRECTORY, '--state-secret', `${namespace}/${CA_STATE}`, ...roots];
  return {
    ...podFields(settings, CA_NAME, ca),
    topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selector },
    })),
    initContainers: [{ ...base, name: 'init', args: ['ca', 'init', '--if-missing', ...shared, '--trust-domain', trustDomain] }],
    containers: [
      {
        ...base,
        name: 'ca',
        args: [
          ...['ca', 'serve', '--kubernetes', ...shared, '--listen', '0.0.0.0', '--port', String(CA_PORT)],
          ...['--advertise', '$(POD_IP)', '--peer-port', String(CA_PEER_PORT)],
          ...names.flatMap((name) => ['--host', name]),
          // The API server knows the server of webhooks by its name.
          ...['--allow-host', `${namespace}/${WEBHOOK_NAME}*=${WEBHOOK_NAME}*.${namespace}.svc`],
          // The agents of all revisions.
          ...['--signer', SIGNER_NAME, '--node-agents', `${namespace}/${AGENT_NAME}*`],
          ...['--token-audience', TOKEN_AUDIENCE, '--log-format', logFormat],
        ],
        ports: [
          { name: 'tls-ca', containerPort: CA_PORT, protocol: 'TCP' },
          { name: 'tls-ca-peer', containerPort: CA_PEER_PORT, protocol: 'TCP' },
        ],
        // Its port answers nobody by another name than its own, so HTTP probes by address would be refused.
        readinessProbe: { tcpSocket: { port: 'tls-ca' }, periodSeconds: 5 },
        livenessProbe: { tcpSocket: { port: 'tls-ca' }, periodSeconds: 20, failureThreshold: 3 },
      },
    ],
    volumes: [{ name: 'authority', ...(ca.storage ? { persistentVolumeClaim: { claimName: CA_NAME } } : { emptyDir: {} }) }, scratchVolume],
  };
}
