/** The sidecar: an agent with the proxy of the pod that it is in, and what it needs of volumes. It asks the agent of its node, or reads the mesh itself. */
import { POD_SOCKET, POD_TOKEN_AUDIENCE } from '../objects/names.ts';
import { containerSecurity, scratchEnvironment, USER } from '../objects/pods.ts';
import type { Wishes } from './annotations.ts';
import type { SidecarAgent } from './choose-agent.ts';
import { API_PORT, CA_ROOTS, PROXY_CONTAINER } from './names.ts';
import type { ContainerJson, PodSpecJson } from './pod.ts';
import type { InjectSettings } from './settings.ts';

type Volume = NonNullable<PodSpecJson['volumes']>[number];

const DATA = '/var/lib/fairlead';
const ROOTS = '/var/run/secrets/fairlead/roots';
const TOKEN = '/var/run/secrets/fairlead/token';
/** Where a pod's own credentials for the API server are. */
const API_ACCESS = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Seconds for requests in flight: a pod has 30 to end, unless it says otherwise. */
const DRAIN_SECONDS = 20;
/** Seconds that the application waits for the proxy at the start. */
const START_SECONDS = 600;

export function sidecarContainer(settings: InjectSettings, wishes: Wishes, agent: SidecarAgent): ContainerJson {
  const { statusPort, readiness } = wishes;
  const health = { httpGet: { path: '/healthz/ready', port: statusPort }, timeoutSeconds: 3 };
  return {
    name: PROXY_CONTAINER,
    image: wishes.image,
    ...(settings.imagePullPolicy === undefined ? {} : { imagePullPolicy: settings.imagePullPolicy }),
    args: [
      ...['agent', 'run', ...(agent === 'node' ? NODE_ARGS : podArgs(settings)), '--data', `${DATA}/agent`],
      ...['--engine', settings.engine, '--api-port', String(API_PORT), '--metrics-port', String(statusPort)],
      ...['--deadline', `${DRAIN_SECONDS}s`, '--log-format', settings.logFormat, '--log-level', wishes.logLevel],
    ],
    env: [...scratchEnvironment],
    ports: [{ name: 'mesh-metrics', containerPort: statusPort, protocol: 'TCP' }],
    resources: wishes.resources,
    // The others start when the proxy is ready.
    ...(wishes.native
      ? { restartPolicy: 'Always', startupProbe: { ...health, periodSeconds: 1, failureThreshold: START_SECONDS } }
      : {
          lifecycle: {
            postStart: {
              exec: { command: ['fairlead', 'agent', 'ready', '--port', String(statusPort), '--timeout', `${START_SECONDS}s`] },
            },
          },
        }),
    ...(readiness === undefined ? {} : { readinessProbe: { ...health, ...readiness } }),
    securityContext: { ...containerSecurity, privileged: false, runAsUser: USER, runAsGroup: USER },
    volumeMounts: [
      { name: 'fairlead-data', mountPath: DATA },
      { name: 'fairlead-tmp', mountPath: '/tmp' },
      { name: 'fairlead-token', mountPath: TOKEN, readOnly: true },
      ...(agent === 'node' ? NODE_MOUNTS : POD_MOUNTS),
      ...Object.entries(wishes.volumeMounts).map(([name, mount]) => ({ ...mount, name, mountPath: String(mount['mountPath']) })),
    ],
  };
}

const NODE_ARGS = ['--node-agent', `unix:${POD_SOCKET}`, '--node-agent-token-file', `${TOKEN}/agent-token`];
const NODE_MOUNTS = [{ name: 'fairlead-agent', mountPath: POD_SOCKET.slice(0, POD_SOCKET.lastIndexOf('/')), readOnly: true }];

const podArgs = ({ namespace, ca }: InjectSettings): string[] => [
  ...['--kubernetes', '--pods', 'own', '--istio-namespace', namespace],
  ...['--ca', ca.address, '--ca-roots', `${ROOTS}/root-cert.pem`, '--ca-token-file', `${TOKEN}/istio-token`],
];
const POD_MOUNTS = [
  { name: 'fairlead-roots', mountPath: ROOTS, readOnly: true },
  { name: 'fairlead-api-access', mountPath: API_ACCESS, readOnly: true },
];

/**
 * Its volumes. Credentials are projected for it alone: the pod may have said that it wants none. The CA's roots come by an annotation,
 * because a ConfigMap would have to be in every namespace.
 */
export function sidecarVolumes(settings: InjectSettings, wishes: Wishes, agent: SidecarAgent): Volume[] {
  return [
    { name: 'fairlead-data', emptyDir: {} },
    { name: 'fairlead-tmp', emptyDir: {} },
    ...(agent === 'node' ? nodeVolumes(settings) : podVolumes(settings)),
    ...Object.entries(wishes.volumes).map(([name, source]) => ({ ...source, name })),
  ];
}

const token = (path: string, expirationSeconds: number, audience?: string): object => ({
  serviceAccountToken: { ...(audience === undefined ? {} : { audience }), expirationSeconds, path },
});

/** The socket's folder is there before the node's agent is: then the sidecar waits for it, not the kubelet. */
const nodeVolumes = ({ agentFolder }: InjectSettings): Volume[] => [
  { name: 'fairlead-token', projected: { sources: [token('agent-token', 3600, POD_TOKEN_AUDIENCE)] } },
  { name: 'fairlead-agent', hostPath: { path: agentFolder, type: 'DirectoryOrCreate' } },
];

function podVolumes({ ca }: InjectSettings): Volume[] {
  const field = (path: string, fieldPath: string): object => ({ path, fieldRef: { fieldPath } });
  return [
    { name: 'fairlead-token', projected: { sources: [token('istio-token', 43_200, ca.audience)] } },
    { name: 'fairlead-roots', downwardAPI: { items: [field('root-cert.pem', `metadata.annotations['${CA_ROOTS}']`)] } },
    {
      name: 'fairlead-api-access',
      projected: {
        sources: [
          token('token', 3607),
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [field('namespace', 'metadata.namespace')] } },
        ],
      },
    },
  ];
}
