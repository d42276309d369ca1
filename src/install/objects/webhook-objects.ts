/**
 * The server of webhooks with its configurations. It may read and change these two and nothing else; its pods are alike, since what each of them writes
 * is the same.
 */
import { mutatingWebhooks, validatingWebhooks, webhookNames, webhookServer } from '../inject/webhooks.ts';
import type { Settings } from '../settings/resolve.ts';
import type { SettingsFile } from '../settings/schema.ts';
import { accountSubject, clusterAccess, type Rule } from './access.ts';
import { CA_NAME, CA_PORT, labelsOf } from './names.ts';
import type { Manifest } from './object.ts';
import {
  caTokenVolume,
  containerSecurity,
  imageOf,
  NO_SIDECAR,
  podFields,
  rootsVolume,
  scratchEnvironment,
  scratchMount,
  scratchVolume,
} from './pods.ts';

const PORT = 15017;
const DATA = '/var/lib/fairlead';
const SECRETS = '/var/run/secrets/fairlead';
const SETTINGS = '/etc/fairlead';
const SETTINGS_FILE = 'settings.yaml';

export function webhookObjects(settings: Settings, version: string): Manifest[] {
  const { namespace, revision, injection } = settings;
  const name = webhookServer(settings);
  const labels = labelsOf('webhook', settings, version);
  const metadata = { name, namespace, labels };
  const selector = { 'fairlead.dev/webhook': revision || 'default' };
  const address = { service: { namespace, name } };
  const names = webhookNames(revision);
  const text = sortedJson(injectionFile(settings));
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ...webhookAccess(settings, version),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [SETTINGS_FILE]: text } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector, ports: [{ name: 'https-webhook', port: 443, targetPort: PORT, protocol: 'TCP' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: injection.replicas,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: selector },
        template: {
          // Other settings are other pods.
          metadata: { labels: { ...labels, ...NO_SIDECAR, ...selector }, annotations: { 'fairlead.dev/settings': checksum(text) } },
          spec: podSpec(settings, name),
        },
      },
    },
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selector } } },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: names.injector, labels },
      webhooks: mutatingWebhooks(revision, address),
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: names.validator, labels },
      webhooks: validatingWebhooks(revision, address),
    },
  ];
}

/** What the server may do: keep the CA's roots in its own configurations, and see which revision tags there are; a tag itself lets it write there. */
export function webhookAccess(settings: Settings, version: string): Manifest[] {
  const { namespace, revision } = settings;
  const name = webhookServer(settings);
  const metadata = { name: `${name}-${namespace}`, labels: labelsOf('webhook', settings, version) };
  const { injector, validator } = webhookNames(revision);
  const rule = (resource: string, resourceName: string): Rule => ({
    apiGroups: ['admissionregistration.k8s.io'],
    resources: [resource],
    resourceNames: [resourceName],
    verbs: ['get', 'patch'],
  });
  const rules = [
    rule('mutatingwebhookconfigurations', injector),
    rule('validatingwebhookconfigurations', validator),
    { apiGroups: ['admissionregistration.k8s.io'], resources: ['mutatingwebhookconfigurations'], verbs: ['list'] },
  ];
  return clusterAccess(metadata, rules, [accountSubject(name, namespace)]);
}

/** The settings that decide what is injected, as a file of settings. */
function injectionFile({ namespace, image, imagePullPolicy, imagePullSecrets, logFormat, meshConfig, injection }: Settings): SettingsFile {
  const { agent, namespaces, engine, nativeSidecar, capture, resources, logLevel } = injection;
  return {
    profile: 'minimal',
    namespace,
    image,
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    imagePullSecrets: [...imagePullSecrets],
    logFormat,
    ...(meshConfig.trustDomain ? { meshConfig: { trustDomain: meshConfig.trustDomain } } : {}),
    injection: { enabled: true, agent, namespaces: [...namespaces], engine, nativeSidecar, capture, resources, logLevel },
  };
}

/** JSON as Helm's `toJson` has it, with keys in order: the chart makes the same text. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** As Helm's `sha256sum`. */
const checksum = (text: string): string => process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');

function podSpec(settings: Settings, name: string): object {
  const { namespace, revision, injection, logFormat } = settings;
  const health = { httpGet: { path: '/healthz/ready', port: PORT, scheme: 'HTTPS' } };
  const mount = (volume: string, mountPath: string): object => ({ name: volume, mountPath, readOnly: true });
  return {
    ...podFields(settings, name, injection),
    containers: [
      {
        name: 'webhook',
        ...imageOf(settings),
        args: [
          ...['webhook', 'serve', '--port', String(PORT), '--settings', `${SETTINGS}/${SETTINGS_FILE}`, '--fairlead-namespace', namespace],
          ...(revision === '' ? [] : ['--revision', revision]),
          ...['--ca', `${CA_NAME}.${namespace}.svc:${CA_PORT}`, '--ca-roots', `${SECRETS}/roots/root-cert.pem`],
          ...['--ca-token-file', `${SECRETS}/token/istio-token`, '--data', DATA, '--log-format', logFormat],
        ],
        env: scratchEnvironment,
        ports: [{ name: 'https-webhook', containerPort: PORT, protocol: 'TCP' }],
        readinessProbe: { ...health, periodSeconds: 5, failureThreshold: 3 },
        securityContext: containerSecurity,
        resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
        volumeMounts: [
          { name: 'data', mountPath: DATA },
          mount('settings', SETTINGS),
          mount('roots', `${SECRETS}/roots`),
          mount('token', `${SECRETS}/token`),
          scratchMount,
        ],
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }, { name: 'settings', configMap: { name } }, rootsVolume, caTokenVolume, scratchVolume],
  };
}
