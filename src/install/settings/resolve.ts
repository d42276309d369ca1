/** Settings with everything filled in, as the objects are made from them. */
import type { MeshConfig } from '../../config/kinds/mesh-config.ts';
import type { Problem } from '../../errors.ts';
import { INBOUND_PORT, OUTBOUND_PORT } from '../capture/settings.ts';
import { SIDECAR_RESOURCES } from '../inject/settings.ts';
import { mergeSettings } from './merge.ts';
import { profiles } from './profiles.ts';
import type { ContainerResources, GatewaySettings, SettingsFile } from './schema.ts';

export interface Placement {
  nodeSelector?: Record<string, string>;
  tolerations?: readonly object[];
  priorityClassName?: string;
}

export interface GatewayPort {
  name: string;
  port: number;
  targetPort: number;
}

export interface Gateway extends Placement {
  name: string;
  labels: Record<string, string>;
  ports: readonly GatewayPort[];
  credentials: readonly string[];
  engine: 'auto' | 'envoy' | 'embedded';
  replicas: { min: number; max: number; cpu: number };
  service: NonNullable<GatewaySettings['service']> & { type: 'LoadBalancer' | 'NodePort' | 'ClusterIP' };
  resources: ContainerResources;
  podAnnotations: Record<string, string>;
}

export interface Settings {
  namespace: string;
  /** Empty for the installation that has no revision. */
  revision: string;
  image: string;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never' | undefined;
  imagePullSecrets: readonly string[];
  logFormat: 'text' | 'json';
  definitions: boolean;
  /** Whether agents write the status of the cluster's objects. */
  status: boolean;
  meshConfig: MeshConfig;
  ca: Placement & {
    replicas: number;
    storage: { size: string; className: string | undefined } | undefined;
    resources: ContainerResources;
  };
  agent: Placement & { enabled: boolean; resources: ContainerResources };
  injection: Injection;
  gateways: readonly Gateway[];
}

export interface Injection extends Placement {
  enabled: boolean;
  agent: 'node' | 'pod';
  engine: 'auto' | 'envoy' | 'embedded';
  nativeSidecar: boolean;
  capture: 'none' | 'redirect';
  resources: ContainerResources;
  logLevel: 'debug' | 'info' | 'warning' | 'error';
  /** Whose service accounts may read the mesh; `*`: all. */
  namespaces: readonly string[];
  replicas: number;
}

const CA_RESOURCES: ContainerResources = { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } };
/** The mesh of 10,000 services takes half of the limit. */
const AGENT_RESOURCES: ContainerResources = { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } };
const GATEWAY_RESOURCES: ContainerResources = { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } };
const PORTS: NonNullable<GatewaySettings['ports']> = [
  { name: 'http', port: 80 },
  { name: 'https', port: 443 },
];

/** What the file says over its profile, over the defaults. */
export function resolveSettings(file: SettingsFile, { revision, version }: { revision: string; version: string }): Settings {
  const all = mergeSettings(profiles[file.profile ?? 'default'].settings, file);
  const { ca = {}, injection = {}, agent = {} } = all;
  const injects = injection.enabled ?? (injection.namespaces ?? []).length > 0;
  const reader = injection.agent ?? 'node';
  return {
    namespace: all.namespace ?? 'fairlead-system',
    revision,
    image: all.image ?? `fairlead:${version}`,
    imagePullPolicy: all.imagePullPolicy,
    imagePullSecrets: all.imagePullSecrets ?? [],
    logFormat: all.logFormat ?? 'json',
    definitions: all.definitions ?? true,
    status: all.status ?? true,
    meshConfig: all.meshConfig ?? {},
    ca: {
      ...placementOf(ca),
      replicas: ca.replicas ?? (ca.storage === undefined ? 2 : 1),
      storage: ca.storage && { size: ca.storage.size ?? '1Gi', className: ca.storage.className },
      resources: ca.resources ?? CA_RESOURCES,
    },
    agent: {
      ...placementOf({ tolerations: [{ operator: 'Exists' }], priorityClassName: 'system-node-critical', ...agent }),
      enabled: agent.enabled ?? (injects && reader === 'node'),
      resources: agent.resources ?? AGENT_RESOURCES,
    },
    injection: {
      ...placementOf(injection),
      enabled: injects,
      agent: reader,
      namespaces: injection.namespaces ?? [],
      engine: injection.engine ?? 'auto',
      nativeSidecar: injection.nativeSidecar ?? true,
      capture: injection.capture ?? 'none',
      resources: injection.resources ?? SIDECAR_RESOURCES,
      logLevel: injection.logLevel ?? 'info',
      replicas: injection.replicas ?? 2,
    },
    gateways: Object.entries(all.gateways ?? {}).map(([name, gateway]) => resolveGateway(name, gateway)),
  };
}

function resolveGateway(name: string, gateway: GatewaySettings): Gateway {
  const min = gateway.replicas?.min ?? Math.min(2, gateway.replicas?.max ?? 2);
  return {
    ...placementOf(gateway),
    name,
    labels: gateway.labels ?? { istio: name },
    ports: (gateway.ports ?? PORTS).map(({ name, port, targetPort = unprivileged(port) }) => ({ name, port, targetPort })),
    credentials: gateway.credentials ?? [],
    engine: gateway.engine ?? 'auto',
    replicas: { min, max: gateway.replicas?.max ?? Math.max(5, min), cpu: gateway.replicas?.cpu ?? 80 },
    service: { ...gateway.service, type: gateway.service?.type ?? 'LoadBalancer' },
    resources: gateway.resources ?? GATEWAY_RESOURCES,
    podAnnotations: gateway.podAnnotations ?? {},
  };
}

function placementOf({ nodeSelector, tolerations, priorityClassName }: Placement): Placement {
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
    // An empty one is none.
    ...(priorityClassName ? { priorityClassName } : {}),
  };
}

/** As for gateways of files: 80 is 8080, 443 is 8443. */
const unprivileged = (port: number): number => (port === 80 ? 8080 : port < 1024 ? port + 8000 : port);

/** Ports that the agent in a gateway's pod has itself. */
const OWN_PORTS = [15000, 15020];
/** Names that other objects of the installation have, its revisions' too: the CA trusts their service accounts by them. */
const OWN_NAMES = /^fairlead-(?:ca|agent|webhook)/;

/** What no schema can say: what is wrong between the settings. Empty when nothing is. */
export function settingsProblems({ ca, gateways, injection, meshConfig, agent }: Settings): Problem[] {
  const problems: Problem[] = [];
  const wrong = (path: string, message: string, hint?: string): void => {
    problems.push({ severity: 'error', rule: 'install/settings', message, path, ...(hint === undefined ? {} : { hint }) });
  };
  if (ca.storage !== undefined && ca.replicas > 1)
    wrong(
      'ca.replicas',
      `the CA’s volume is for one pod, and it is to have ${ca.replicas}`,
      'Leave `ca.storage` out: keys and state are in a Secret, for all pods',
    );
  if (injection.enabled && injection.agent === 'node' && !agent.enabled)
    wrong(
      'agent.enabled',
      'sidecars would ask an agent of their node, and there is none',
      'Set `injection.agent: pod`, and name the namespaces in `injection.namespaces`',
    );
  if (injection.enabled && injection.agent === 'pod' && injection.namespaces.length === 0)
    wrong(
      'injection.namespaces',
      'sidecars are to read the mesh themselves (`injection.agent: pod`), and no namespace’s service accounts may',
      'Name the namespaces whose pods are to have sidecars, or `*` for all',
    );
  if (injection.capture === 'redirect' && injection.engine !== 'envoy')
    wrong(
      'injection.capture',
      `connections are redirected to Envoy alone, and \`injection.engine\` is ${injection.engine}`,
      'Set `injection.engine: envoy`, with an image that has Envoy (--target with-envoy)',
    );
  for (const [field, port] of [
    ['proxyListenPort', OUTBOUND_PORT],
    ['proxyInboundListenPort', INBOUND_PORT],
  ] as const)
    if (injection.capture === 'redirect' && (meshConfig[field] || port) !== port)
      wrong(
        `meshConfig.${field}`,
        `the connections of pods are redirected to port ${port}, and the proxies would listen on ${meshConfig[field]}`,
      );
  for (const { name, replicas, ports, resources, credentials } of gateways) {
    const at = `gateways.${name}`;
    const taken = OWN_NAMES.exec(name);
    if (taken) wrong(at, `a gateway cannot be called ${name}: ${taken[0]} is the installation’s own`);
    const secret = credentials.find((credential) => OWN_NAMES.test(credential));
    if (secret !== undefined) wrong(`${at}.credentials`, `${secret} is the installation’s own: no gateway may read the CA’s keys`);
    if (replicas.min > replicas.max) wrong(`${at}.replicas`, `\`min\` (${replicas.min}) is above \`max\` (${replicas.max})`);
    if (replicas.min < replicas.max && resources.requests?.cpu === undefined)
      wrong(
        `${at}.resources`,
        'a gateway whose number of pods follows its load must say how much processor time it asks for',
        'Set `requests.cpu`',
      );
    for (const what of ['name', 'port', 'targetPort'] as const) {
      const twice = ports.find((p, i) => ports.findIndex((other) => other[what] === p[what]) !== i);
      if (twice !== undefined) wrong(`${at}.ports`, `two ports have the ${what} ${twice[what]}`);
    }
    const ours = ports.find(({ targetPort }) => OWN_PORTS.includes(targetPort));
    if (ours !== undefined) wrong(`${at}.ports`, `${ours.targetPort} is a port of the agent`, 'Choose another `targetPort`');
  }
  return problems;
}
