/** A gateway: pods that run an agent, which serves the pod that it is in. */
import type { Gateway, Settings } from '../settings/resolve.ts';
import { accountSubject, namespaceAccess } from './access.ts';
import { CA_NAME, CA_PORT, DEFAULT_REVISION, labelsOf, revisioned } from './names.ts';
import type { Manifest } from './object.ts';
import {
  caTokenVolume,
  containerSecurity,
  imageOf,
  metricsAnnotations,
  NO_SIDECAR,
  podEnvironment,
  podFields,
  rootsVolume,
  scratchEnvironment,
  scratchMount,
  scratchVolume,
} from './pods.ts';

const API_PORT = 15000;
const METRICS_PORT = 15020;
const DATA = '/var/lib/fairlead';
const ROOTS = '/var/run/secrets/fairlead/roots';
const TOKEN = '/var/run/secrets/fairlead/token';
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
  ...metricsAnnotations(METRICS_PORT),
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
  const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: [...credentials], verbs: ['get', 'list', 'watch'] };
  return namespaceAccess(metadata, [rule], [accountSubject(metadata.name, metadata.namespace as string)]);
}

function podSpec(settings: Settings, gateway: Gateway, name: string): object {
  const { namespace, logFormat } = settings;
  return {
    ...podFields(settings, name, gateway),
    terminationGracePeriodSeconds: NOTICE_SECONDS + DRAIN_SECONDS + 10,
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
          ...(settings.status ? ['--write-status'] : []),
          ...['--engine', gateway.engine, '--api-port', String(API_PORT), '--metrics-port', String(METRICS_PORT)],
          ...['--ca', `${CA_NAME}.${namespace}.svc:${CA_PORT}`, '--ca-roots', `${ROOTS}/root-cert.pem`],
          ...['--ca-token-file', `${TOKEN}/istio-token`, '--deadline', `${DRAIN_SECONDS}s`, '--log-format', logFormat],
        ],
        env: [...scratchEnvironment, ...podEnvironment],
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
    volumes: [{ name: 'data', emptyDir: {} }, rootsVolume, caTokenVolume, scratchVolume],
  };
}
