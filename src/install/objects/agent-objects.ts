/**
 * The agent of each node: a DaemonSet whose pods serve the sidecars of their node over a socket in a folder of the node. A revision has one of
 * its own, with a folder of its own, so that both run side by side on a node.
 */
import type { Settings } from '../settings/resolve.ts';
import { accountSubject, clusterAccess, type Rule } from './access.ts';
import { agentAccount, agentFolder, DEFAULT_REVISION, labelsOf, POD_SOCKET, POD_TOKEN_AUDIENCE, revisioned } from './names.ts';
import type { Manifest } from './object.ts';
import {
  containerSecurity,
  imageOf,
  metricsAnnotations,
  NO_SIDECAR,
  nodeEnvironment,
  podEnvironment,
  podFields,
  rootsVolume,
  scratchEnvironment,
  scratchMount,
  scratchVolume,
  USER,
} from './pods.ts';

const API_PORT = 15000;
const METRICS_PORT = 15020;
const DATA = '/var/lib/fairlead';
const ROOTS = '/var/run/secrets/fairlead/roots';
const SOCKET_FOLDER = POD_SOCKET.slice(0, POD_SOCKET.lastIndexOf('/'));
/** Only pods of namespaces with a quota for it may have it on some clusters (GKE). */
const CRITICAL = /^system-(node|cluster)-critical$/;

export function agentObjects(settings: Settings, version: string): Manifest[] {
  const { namespace, agent } = settings;
  const name = agentAccount(settings);
  const labels = labelsOf('agent', settings, version);
  const metadata = { name, namespace, labels };
  const selector = { 'fairlead.dev/agent': settings.revision || DEFAULT_REVISION };
  const priority = agent.priorityClassName ?? '';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ...agentAccess(settings, version),
    ...(CRITICAL.test(priority) ? [quota(metadata, priority)] : []),
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata,
      spec: {
        // Sidecars run on while the agent of their node is exchanged.
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: { ...labels, ...NO_SIDECAR, ...selector, 'istio.io/rev': settings.revision || DEFAULT_REVISION },
            annotations: metricsAnnotations(METRICS_PORT),
          },
          spec: podSpec(settings, name),
        },
      },
    },
  ];
}

/** https://kubernetes.io/docs/concepts/policy/resource-quotas/#limit-priority-class-consumption-by-default */
function quota(metadata: Manifest['metadata'], priority: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata,
    spec: {
      hard: { pods: '1G' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: [priority] }] },
    },
  };
}

/** Beside reading the mesh, which reader-objects.ts allows: whose token is it, and a certificate for the pods of the node. */
const OWN_RULES: readonly Rule[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create', 'get'] },
];

function agentAccess(settings: Settings, version: string): Manifest[] {
  const { namespace } = settings;
  const labels = labelsOf('agent', settings, version);
  const subjects = [accountSubject(agentAccount(settings), namespace)];
  const name = revisioned(settings, 'fairlead-node-agent');
  return clusterAccess({ name: `${name}-${namespace}`, labels }, OWN_RULES, subjects);
}

function podSpec(settings: Settings, name: string): object {
  const { namespace, agent, logFormat } = settings;
  const socket = { name: 'pods', mountPath: SOCKET_FOLDER };
  return {
    ...podFields(settings, name, agent),
    initContainers: [
      {
        name: 'folder',
        ...imageOf(settings),
        // The node's folder is root's, and what serves pods must not be.
        command: ['chown', `${USER}:${USER}`, SOCKET_FOLDER],
        securityContext: {
          ...containerSecurity,
          runAsNonRoot: false,
          runAsUser: 0,
          runAsGroup: 0,
          capabilities: { drop: ['ALL'], add: ['CHOWN'] },
        },
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        volumeMounts: [socket],
      },
    ],
    containers: [
      {
        name: 'agent',
        ...imageOf(settings),
        args: [
          ...['agent', 'run', '--kubernetes', '--pods', 'node', '--istio-namespace', namespace, '--data', `${DATA}/agent`],
          ...['--pod-socket', POD_SOCKET, '--pod-token-audience', POD_TOKEN_AUDIENCE],
          ...(settings.status ? ['--write-status'] : []),
          ...['--api-port', String(API_PORT), '--metrics-port', String(METRICS_PORT)],
          ...['--ca', 'kubernetes', '--ca-roots', `${ROOTS}/root-cert.pem`, '--log-format', logFormat],
        ],
        env: [...scratchEnvironment, nodeEnvironment, ...podEnvironment],
        ports: [{ name: 'http-metrics', containerPort: METRICS_PORT, protocol: 'TCP' }],
        readinessProbe: { httpGet: { path: '/healthz/ready', port: 'http-metrics' }, periodSeconds: 5, failureThreshold: 3 },
        // It is not there while the agent begins; an agent that cannot answer any more begins anew, and its pods run on meanwhile.
        livenessProbe: { tcpSocket: { port: 'http-metrics' }, initialDelaySeconds: 10, periodSeconds: 10, failureThreshold: 6 },
        securityContext: containerSecurity,
        resources: agent.resources,
        volumeMounts: [{ name: 'data', mountPath: DATA }, { name: 'roots', mountPath: ROOTS, readOnly: true }, socket, scratchMount],
      },
    ],
    volumes: [
      { name: 'data', emptyDir: {} },
      rootsVolume,
      { name: 'pods', hostPath: { path: agentFolder(settings), type: 'DirectoryOrCreate' } },
      scratchVolume,
    ],
  };
}
