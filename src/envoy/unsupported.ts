/**
 * What Fairlead does not act on, as data. Work that makes something of it deletes its entry here, and nothing else.
 *
 * `error`: ignoring it would open access, or break what the author relies on for safety. `warning`: traffic flows, but not wholly as written.
 */
import type { Problem } from '../errors.ts';
import { GATEWAY_API } from '../mesh/gateway-api/objects.ts';

export interface UnsupportedEntry {
  kind: string;
  /** Without one: of any group but the Gateway API's, whose kinds have names of Istio's. */
  group?: typeof GATEWAY_API;
  /** Only resources of that name. */
  name?: string;
  /** From the document's root (MeshConfig: from its own); `*` stands for every item of a list and every value of a map. Without one: the whole resource. */
  path?: readonly string[];
  /** Only these values; without: whatever is there, but for `false`, 0 and empty strings, lists and objects. */
  values?: readonly unknown[];
  /** Values that ask for nothing, besides the usual ones. */
  nothing?: readonly unknown[];
  /** Where one of these fields has one of these values, nothing is opened: a warning, for that reason. */
  harmless?: { where: readonly { path: readonly string[]; values: readonly unknown[] }[]; reason: string };
  severity: Problem['severity'];
  /** Completes "<Kind> <field>: …"; no full stop. */
  reason: string;
}

const sessions = 'persistent sessions are not supported: requests are balanced as if the label were not there';
const noTracer = 'spans go to Zipkin and OpenTelemetry only';

const attached = 'attaching it to a resource is not supported: it applies to nothing';

/** Extension providers that nothing calls. */
const unusedProviders = [
  'lightstep',
  'datadog',
  'stackdriver',
  'opencensus',
  'skywalking',
  'envoyHttpAls',
  'envoyTcpAls',
  'envoyOtelAls',
  'sds',
] as const;

export const UNSUPPORTED: readonly UnsupportedEntry[] = [
  // Whole kinds.
  { kind: 'EnvoyFilter', severity: 'warning', reason: 'patches to the Envoy configuration are not applied' },
  { kind: 'WasmPlugin', severity: 'warning', reason: 'WebAssembly extensions are not run' },
  { kind: 'TrafficExtension', severity: 'warning', reason: 'extensions are not run' },
  { kind: 'ProxyConfig', severity: 'warning', reason: 'settings of single proxies are not applied' },
  { kind: 'WorkloadGroup', severity: 'warning', reason: 'workloads do not register themselves' },

  ...(
    [
      ['WorkloadEntry', ['metadata']],
      ['Pod', ['metadata']],
      ['Deployment', ['spec', 'template', 'metadata']],
      ['StatefulSet', ['spec', 'template', 'metadata']],
      ['DaemonSet', ['spec', 'template', 'metadata']],
    ] as const
  ).map(
    ([kind, metadata]): UnsupportedEntry => ({
      kind,
      path: [...metadata, 'annotations', 'proxy.istio.io/config'],
      severity: 'warning',
      reason: 'settings of single proxies are not applied',
    }),
  ),

  // The Gateway API.
  ...(
    [
      ['GatewayClass', ['parametersRef'], 'classes have no settings', 'warning'],
      ['Gateway', ['addresses'], 'addresses are those of the proxy', 'warning'],
      ['Gateway', ['infrastructure'], 'nothing is made for it: proxies are found by their labels', 'warning'],
      ['Gateway', ['allowedListeners'], 'ListenerSets are not read', 'warning'],
      ['Gateway', ['defaultScope'], 'routes attach to Gateways that they name', 'warning'],
      ['Gateway', ['tls', 'backend'], 'the proxy shows services its certificate of the mesh, or what DestinationRules say', 'warning'],
      ['Gateway', ['tls', 'frontend'], 'certificates of clients are not asked for', 'error'],
      ['Gateway', ['listeners', '*', 'tls', 'frontendValidation'], 'certificates of clients are not asked for', 'error'],
      ['Gateway', ['listeners', '*', 'tls', 'options'], 'nothing acts on it', 'warning'],
      ...(['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const).map(
        (kind) => [kind, ['useDefaultGateways'], 'routes attach to Gateways that they name', 'warning'] as const,
      ),
      ['HTTPRoute', ['rules', '*', 'sessionPersistence'], 'requests of a session are balanced as any others', 'warning'],
      ['GRPCRoute', ['rules', '*', 'sessionPersistence'], 'calls of a session are balanced as any others', 'warning'],
    ] as const
  ).map(([kind, path, reason, severity]): UnsupportedEntry => ({ kind, group: GATEWAY_API, path: ['spec', ...path], severity, reason })),

  // Policies.
  ...(['targetRef', 'targetRefs'] as const).flatMap((field): UnsupportedEntry[] => [
    {
      kind: 'AuthorizationPolicy',
      path: ['spec', field],
      severity: 'error',
      reason: `${attached}, and everybody would be let in`,
      harmless: {
        where: [
          { path: ['spec', 'action'], values: ['AUDIT'] },
          { path: ['metadata', 'annotations', 'istio.io/dry-run'], values: ['true'] },
        ],
        reason: attached,
      },
    },
    {
      kind: 'RequestAuthentication',
      path: ['spec', field],
      severity: 'error',
      reason: `${attached}, and requests with invalid tokens would be let in`,
    },
  ]),

  // TLS.
  {
    kind: 'Gateway',
    path: ['spec', 'servers', '*', 'tls', 'insecureSkipVerify'],
    severity: 'warning',
    reason: 'certificates of clients are always checked',
  },
  {
    kind: 'Sidecar',
    path: ['spec', 'ingress', '*', 'tls', 'insecureSkipVerify'],
    severity: 'warning',
    reason: 'certificates of clients are always checked',
  },

  // Telemetry.
  {
    kind: 'Telemetry',
    path: ['spec', 'metrics', '*', 'reportingInterval'],
    severity: 'warning',
    reason: 'metrics of connections are counted when these end',
  },
  {
    kind: 'Telemetry',
    path: ['spec', 'metrics', '*', 'overrides', '*', 'match', 'customMetric'],
    severity: 'warning',
    reason: 'there are Istio’s standard metrics only',
  },
  { kind: 'Telemetry', path: ['spec', 'targetRef'], severity: 'warning', reason: attached },
  { kind: 'Telemetry', path: ['spec', 'targetRefs'], severity: 'warning', reason: attached },

  // Routes.
  {
    kind: 'VirtualService',
    path: ['spec', 'http', '*', 'fault', 'delay', 'exponentialDelay'],
    severity: 'warning',
    reason: 'the proxy has only fixed delays: there is none',
  },
  {
    kind: 'VirtualService',
    path: ['spec', 'http', '*', 'fault', 'abort', 'http2Error'],
    severity: 'warning',
    reason: 'the proxy cannot send it: requests are not aborted',
  },
  {
    kind: 'VirtualService',
    path: ['spec', 'tcp', '*', 'match', '*', 'sourceSubnet'],
    severity: 'warning',
    reason: 'nothing acts on it: every client matches',
  },
  { kind: 'Gateway', path: ['spec', 'servers', '*', 'defaultEndpoint'], severity: 'warning', reason: 'nothing acts on it' },
  { kind: 'Gateway', path: ['spec', 'servers', '*', 'port', 'targetPort'], severity: 'warning', reason: 'nothing acts on it' },
  { kind: 'Service', path: ['metadata', 'labels', 'istio.io/persistent-session'], severity: 'warning', reason: sessions },
  { kind: 'Service', path: ['metadata', 'labels', 'istio.io/persistent-session-header'], severity: 'warning', reason: sessions },
  { kind: 'ServiceEntry', path: ['metadata', 'labels', 'istio.io/persistent-session'], severity: 'warning', reason: sessions },
  { kind: 'ServiceEntry', path: ['metadata', 'labels', 'istio.io/persistent-session-header'], severity: 'warning', reason: sessions },

  // The mesh's settings.
  {
    kind: 'ConfigMap',
    name: 'istio',
    path: ['spec', 'data', 'meshNetworks'],
    // What Istio's charts write.
    nothing: ['networks: {}', '{}'],
    severity: 'warning',
    reason: 'networks are known by the labels topology.istio.io/network alone; endpoints of others than the client’s are left out',
  },
  ...(
    [
      [['enableEnvoyAccessLogService'], 'access logs go to files only'],
      ...unusedProviders.map(
        (field) =>
          [
            ['extensionProviders', '*', field],
            'of providers only file logs, Zipkin, OpenTelemetry, Prometheus and external authorizers are used',
          ] as const,
      ),
      [['caCertificates', '*', 'pem'], 'only trustDomains is acted on: workloads trust the roots of their own CA'],
      [['caCertificates', '*', 'spiffeBundleUrl'], 'bundles are not fetched'],
      [['caCertificates', '*', 'certSigners'], 'there are no Kubernetes signers'],
      [['ca'], 'certificates come from Fairlead’s own CA'],
      [['meshMTLS', 'ecdhCurves'], 'mesh TLS keeps the curves of the proxy'],
      [['certificates'], 'nothing acts on it'],
      [['configSources'], 'configuration comes from what the command line names'],
      [['serviceScopeConfigs'], 'ambient mode is not supported'],
      [['hboneIdleTimeout'], 'ambient mode is not supported'],
      [['extensionProviders', '*', 'zipkin', 'timeout'], 'it is 5s'],
      [['extensionProviders', '*', 'zipkin', 'headers'], 'headers cannot be added'],
      [['extensionProviders', '*', 'opentelemetry', 'resourceDetectors'], 'resources have the service’s name only'],
      [['extensionProviders', '*', 'opentelemetry', 'serviceAttributeEnrichment'], 'services have their canonical names'],
      [['extensionProviders', '*', 'opentelemetry', 'dynatraceSampler'], 'Telemetry says what is sampled'],
      [
        ['extensionProviders', '*', 'opentelemetry', 'http', 'headers', '*', 'envName'],
        'values stand in the configuration: no such header is sent',
      ],
      [
        ['extensionProviders', '*', 'opentelemetry', 'grpc', 'initialMetadata', '*', 'envName'],
        'values stand in the configuration: no such metadata are sent',
      ],
      [['defaultConfig', 'tracing', 'lightstep'], noTracer],
      [['defaultConfig', 'tracing', 'datadog'], noTracer],
      [['defaultConfig', 'tracing', 'stackdriver'], noTracer],
      [['defaultConfig', 'tracing', 'openCensusAgent'], noTracer],
      [['defaultConfig', 'tracing', 'tlsSettings'], 'spans are sent in plain text'],
      [['defaultConfig', 'proxyHeaders'], 'headers that the proxy adds cannot be switched off'],
      [['defaultConfig', 'connectionSettings'], 'limits on client connections are not acted on'],
      [['defaultConfig', 'extraStatTags'], 'statistics cannot be changed'],
      [['defaultConfig', 'proxyStatsMatcher'], 'statistics cannot be changed'],
      [['defaultConfig', 'envoyMetricsService'], 'metrics are served, not sent'],
      [['defaultConfig', 'envoyAccessLogService'], 'access logs go to files only'],
      [['defaultConfig', 'privateKeyProvider'], 'the proxy uses its keys itself'],
    ] as const
  ).map(([path, reason]): UnsupportedEntry => ({ kind: 'MeshConfig', path, severity: 'warning', reason })),
  {
    kind: 'MeshConfig',
    path: ['outboundTrafficPolicy', 'tls', 'mode'],
    values: ['ISTIO_MUTUAL'],
    severity: 'warning',
    reason: 'hosts that are not known are not of the mesh: they are called in plain text',
  },
];
