/** A gateway: pods that run an agent, which serves the pod that it is in. */
import type { Gateway, Settings } from '../settings/resolve.ts';
import { NO_SIDECAR } from './ca-objects.ts';
import { CA_NAME, CA_PORT, DEFAULT_REVISION, labelsOf, ROOTS_CONFIG_MAP, revisioned, TOKEN_AUDIENCE } from './names.ts';
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

const API_PORT = 15000;
const METRICS_PORT = 15020;
const DATA = '/var/lib/fairlead';
const ROOTS = '/var/run/secrets/fairlead/roots';
const TOKEN = '/var/run/secrets/fairlead/token';
const ROOTS_FILE = 'root-cert.pem';
const TOKEN_FILE = 'istio-token';
/** Seconds for requests in flight; before that, for load balancers to hear that the pod goes. */
const DRAIN_SECONDS = 30;
const NOTICE_SECONDS = 5;

export function gatewayObjects(settings: Settings, gateway: Gateway, version: string): Manifest[] {
  const { namespace } = settings;
  const name = revisioned(settings, gateway.name);
  const labels = labelsOf('gateway', settings, version);
  const metadata = { name, namespace, labels: { ...labels, 'istio.io/rev': settings.revision || DEFAULT_REVISION } };
  const selector = selectorOf(settings, gateway);
  const scaled = gateway.replicas.min < gateway.replicas.max;
  const objects: Manifest[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ...secretAccess(gateway, metadata),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        // With an autoscaler the number is its own to set.
        ...(scaled ? {} : { replicas: gateway.replicas.min }),
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: { ...metadata.labels, ...NO_SIDECAR, ...gateway.labels, ...selector },
            annotations: { ...gateway.podAnnotations, ...ANNOTATIONS },
          },
          spec: podSpec(settings, gateway, name),
        },
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
    },
  ];
  if (scaled) objects.push(autoscaler(gateway, metadata));
  // The pods of all revisions are behind the Service of the one without a name: that is what makes a canary.
  if (settings.revision === '') objects.splice(1, 0, service(gateway, metadata));
  return objects;
}

const ANNOTATIONS = {
  // Until a Gateway selects it there is nothing that would be intercepted.
  'sidecar.istio.io/interceptionMode': 'NONE',
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(METRICS_PORT),
  'prometheus.io/path': '/stats/prometheus',
};

/** Labels of the pods of this gateway and revision alone: a Deployment's selector never changes. */
const selectorOf = (settings: Settings, { name }: Gateway): Record<string, string> => ({
  'fairlead.dev/gateway': name,
  'istio.io/rev': settings.revision || DEFAULT_REVISION,
});

function service({ name, service: { type, annotations, ...more }, ports }: Gateway, metadata: Manifest['metadata']): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      type,
      selector: { 'fairlead.dev/gateway': name },
      ports: ports.map((port) => ({ ...port, protocol: 'TCP' })),
      ...more,
    },
  };
}

function autoscaler({ replicas }: Gateway, metadata: Manifest['metadata']): Manifest {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name },
      minReplicas: replicas.min,
      maxReplicas: replicas.max,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: replicas.cpu } } }],
    },
  };
}

/** The Secrets that are named, one by one, for this gateway alone. */
function secretAccess({ credentials }: Gateway, metadata: Manifest['metadata']): Manifest[] {
  if (credentials.length === 0) return [];
  const rbac = 'rbac.authorization.k8s.io';
  return [
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [...credentials], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: metadata.name, namespace: metadata.namespace as string }],
    },
  ];
}

function podSpec(settings: Settings, gateway: Gateway, name: string): object {
  const { namespace, logFormat } = settings;
  return {
    serviceAccountName: name,
    automountServiceAccountToken: true,
    securityContext: podSecurity,
    terminationGracePeriodSeconds: NOTICE_SECONDS + DRAIN_SECONDS + 10,
    ...pullSecrets(settings),
    ...placementFields(gateway),
    topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selectorOf(settings, gateway) },
    })),
    containers: [
      {
        name: 'gateway',
        ...imageOf(settings),
        args: [
          ...['agent', 'run', '--kubernetes', '--pods', 'own', '--istio-namespace', namespace, '--data', `${DATA}/agent`],
          ...['--engine', gateway.engine, '--api-port', String(API_PORT), '--metrics-port', String(METRICS_PORT)],
          ...['--ca', `${CA_NAME}.${namespace}.svc:${CA_PORT}`, '--ca-roots', `${ROOTS}/${ROOTS_FILE}`],
          ...['--ca-token-file', `${TOKEN}/${TOKEN_FILE}`, '--deadline', `${DRAIN_SECONDS}s`, '--log-format', logFormat],
        ],
        env: scratchEnvironment,
        ports: [
          ...gateway.ports.map((port) => ({ name: port.name, containerPort: port.targetPort, protocol: 'TCP' })),
          { name: 'http-metrics', containerPort: METRICS_PORT, protocol: 'TCP' },
        ],
        readinessProbe: { httpGet: { path: '/healthz/ready', port: 'http-metrics' }, periodSeconds: 5, failureThreshold: 3 },
        // No liveness probe: the agent starts a data plane that died or hangs anew, and must not take a sound one with it.
        lifecycle: { preStop: { sleep: { seconds: NOTICE_SECONDS } } },
        securityContext: containerSecurity,
        resources: gateway.resources,
        volumeMounts: [
          { name: 'data', mountPath: DATA },
          { name: 'roots', mountPath: ROOTS, readOnly: true },
          { name: 'token', mountPath: TOKEN, readOnly: true },
          scratchMount,
        ],
      },
    ],
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'roots', configMap: { name: ROOTS_CONFIG_MAP, items: [{ key: ROOTS_FILE, path: ROOTS_FILE }] } },
      {
        name: 'token',
        projected: { sources: [{ serviceAccountToken: { path: TOKEN_FILE, audience: TOKEN_AUDIENCE, expirationSeconds: 43200 } }] },
      },
      scratchVolume,
    ],
  };
}
