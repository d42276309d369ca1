import type { Static } from 'typebox';
import { ClientTLSSettings } from '../networking/client-tls.ts';
import { ConnectionPoolSettings, TcpKeepalive } from '../networking/connection-pool.ts';
import { HTTPRetry } from '../networking/http-retry.ts';
import { LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting } from '../networking/locality-load-balancing.ts';
import { OutlierDetection } from '../networking/outlier-detection.ts';
import { as, boolean, choice, duration, list, message, port, string, stringMap, strings } from '../schema.ts';
import { ExtensionProvider } from './extension-provider.ts';
import { MeshProxyConfig } from './proxy-config.ts';

export const LabelSelector = message('Objects by their labels; all conditions must hold.', {
  matchLabels: stringMap('Labels that must be there.'),
  matchExpressions: list(
    message('A condition on a label.', {
      key: string('Its key.'),
      operator: string('`In`, `NotIn`, `Exists` or `DoesNotExist`.'),
      values: strings('Values for `In` and `NotIn`.'),
    }),
    'Conditions on labels.',
  ),
});

export const TLSConfig = message('Limits on TLS.', {
  minProtocolVersion: choice(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3'], 'Oldest version. TLS_AUTO, the default: 1.2.'),
  ecdhCurves: strings('Curves for key exchange, best first. Default: those of Envoy.'),
  cipherSuites: strings('Cipher suites for TLS up to 1.2, by their OpenSSL names.'),
});

export const CertificateData = message(
  'A root certificate that is trusted besides those of the CA.',
  {
    pem: string('The certificate, PEM.'),
    spiffeBundleUrl: string('URL of a SPIFFE bundle endpoint that serves it.'),
    certSigners: strings('Kubernetes signers that it is for. Default: all.'),
    trustDomains: strings('Trust domains that it is for. Default: that of the mesh and its aliases.'),
  },
  { oneOf: [['pem', 'spiffeBundleUrl']] },
);

const visibility = (description: string) => choice(['VISIBILITY_UNSPECIFIED', 'NONE', 'NAMESPACE', 'PUBLIC'], description);

export const ServiceEntryVisibility = message('How far the ServiceEntries of a namespace may be seen, whatever their `exportTo` says.', {
  defaultVisibility: visibility(
    'For namespaces that no policy matches. NONE: nobody. NAMESPACE: their own namespace. PUBLIC: as `exportTo` says.',
  ),
  applyToSidecars: boolean('Holds for sidecars as well, not only for ambient mode. Default: false.'),
  policies: list(
    message('A rule for some namespaces.', {
      visibility: visibility('How far the ServiceEntries of the namespaces may be seen.'),
      matchingRules: list(
        message('Which namespaces.', { namespaceSelector: LabelSelector }),
        'The rule is for namespaces that meet all of these.',
      ),
    }),
    'Rules; the first that matches is used.',
  ),
});

/** Values of exportTo fields. */
const exportTo = (kind: string) =>
  strings(`\`exportTo\` of ${kind} that have none: namespaces, \`.\` for their own, \`*\` for all, \`~\` for none. Default: \`*\`.`);

export const MeshConfig = message('Settings of the whole mesh.', {
  proxyListenPort: port('Port of sidecars for captured outbound connections. Default: 15001.'),
  proxyInboundListenPort: port('Port of sidecars for captured inbound connections. Default: 15006.'),
  proxyHttpPort: port('Port of sidecars on 127.0.0.1 that serves as an HTTP proxy (HTTP_PROXY). Default: none.'),
  connectTimeout: duration('How long connecting to an endpoint may take. Default: 10s.'),
  hboneIdleTimeout: duration('How long an HBONE connection may carry nothing before it is closed; 0s: never. Default: 1h.', { zero: true }),
  protocolDetectionTimeout: duration(
    'How long proxies wait for the first bytes of a connection whose protocol nobody told; 0s: for ever, the default.',
    { zero: true },
  ),
  tcpKeepalive: as(TcpKeepalive, 'TCP keep-alive of connections to endpoints. Default: off.'),
  ingressClass: string('Class of the Kubernetes Ingresses that are served. Default: `istio`.'),
  ingressService: string('Service of the proxies that serve Ingresses. Default: `istio-ingressgateway`.'),
  ingressControllerMode: choice(
    ['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT'],
    'Which Ingresses are served. OFF: none. DEFAULT: those of the class and those without one. STRICT, the default: those of the class.',
  ),
  ingressSelector: string('Value of the label `istio` of the proxies that serve Ingresses. Default: `ingressgateway`.'),
  enableTracing: boolean('Makes spans and request ids. Default: true.'),
  accessLogFile: string('File for access logs, such as `/dev/stdout`. Default: none, no access logs.'),
  accessLogFormat: string("Format of an entry, with Envoy's variables; for JSON an object of them. Default: Istio's format."),
  accessLogEncoding: choice(['TEXT', 'JSON'], 'TEXT, the default, or JSON.'),
  enableEnvoyAccessLogService: boolean('Sends access logs to `defaultConfig.envoyAccessLogService`. Default: false.'),
  disableEnvoyListenerLog: boolean('Leaves out the log entries of connections that no filter chain takes. Default: false.'),
  defaultConfig: MeshProxyConfig,
  outboundTrafficPolicy: message('What becomes of calls to services that are not known.', {
    mode: choice(
      ['REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS'],
      'REGISTRY_ONLY: refused. ALLOW_ANY, the default: passed on to the address that was asked for. ALLOW_ANY_DYNAMIC_DNS: HTTP requests go to the address that their Host header resolves to.',
    ),
    tls: as(ClientTLSSettings, 'ALLOW_ANY_DYNAMIC_DNS: how these calls are secured.'),
  }),
  inboundTrafficPolicy: message('Where the requests that a workload receives go on to.', {
    mode: choice(['PASSTHROUGH', 'LOCALHOST'], 'PASSTHROUGH, the default: to the address that was asked for. LOCALHOST: to 127.0.0.1.'),
  }),
  configSources: list(
    message('A source of configuration.', {
      address: string('`k8s://` for the Kubernetes API, `fs:///folder` for files, `xds://host:port` for a server.'),
      tlsSettings: as(ClientTLSSettings, 'How connections to the server are secured.'),
      subscribedResources: list(
        choice(['SERVICE_REGISTRY'], 'SERVICE_REGISTRY: services and endpoints.'),
        'What is taken from it. Default: everything.',
      ),
    }),
    'Where configuration comes from. Default: the Kubernetes API.',
  ),
  enableAutoMtls: boolean('Calls services with mesh TLS where both sides can and no DestinationRule says otherwise. Default: true.'),
  trustDomain: string('The trust domain: the first part of every identity. Default: `cluster.local`.'),
  trustDomainAliases: strings('Other trust domains whose identities count as those of this one.'),
  caCertificates: list(CertificateData, 'Root certificates that workloads trust besides those of the CA.'),
  defaultServiceExportTo: exportTo('Services and ServiceEntries'),
  defaultVirtualServiceExportTo: exportTo('VirtualServices'),
  defaultDestinationRuleExportTo: exportTo('DestinationRules'),
  rootNamespace: string('Namespace whose policies hold for the whole mesh. Default: `istio-system`.'),
  localityLbSetting: as(LocalityLoadBalancerSetting, 'Which localities get requests. Default: enabled, without rules.'),
  zoneAwareLbSetting: as(ZoneAwareLoadBalancerSetting, 'Keeps requests within their zone. Default: off.'),
  dnsRefreshRate: duration('How often hosts of services with resolution DNS are resolved, where the answer has no lifetime. Default: 60s.'),
  h2UpgradePolicy: choice(['DO_NOT_UPGRADE', 'UPGRADE'], 'Whether HTTP/1.1 requests go on as HTTP/2. Default: DO_NOT_UPGRADE.'),
  inboundClusterStatName: string('Name of inbound clusters in statistics, with variables such as `%SERVICE%` and `%TARGET_PORT%`.'),
  outboundClusterStatName: string(
    'Name of outbound clusters in statistics, with variables such as `%SERVICE%`, `%SERVICE_PORT%` and `%SUBSET_NAME%`.',
  ),
  certificates: list(
    message('A certificate for DNS names.', { secretName: string('Secret that it is kept in.'), dnsNames: strings('Its names.') }),
    'Nothing acts on it.',
    { deprecated: true },
  ),
  serviceSettings: list(
    message('Settings of some services.', {
      settings: message('The settings.', { clusterLocal: boolean('Clients reach only endpoints of their own cluster. Default: false.') }),
      hosts: strings('Hosts of the services; wildcards are allowed.'),
    }),
    'Settings of services by host.',
  ),
  serviceScopeConfigs: list(
    message('How far some services may be seen.', {
      namespaceSelector: as(LabelSelector, 'Their namespaces. Default: all.'),
      servicesSelector: as(LabelSelector, 'The services. Default: all.'),
      scope: choice(['LOCAL', 'GLOBAL'], 'LOCAL, the default: by their own cluster. GLOBAL: by all clusters.'),
    }),
    'Ambient mode with several clusters: how far services may be seen.',
  ),
  enablePrometheusMerge: boolean('Serves the metrics of application and proxy together. Default: true.'),
  verifyCertificateAtClient: boolean('Nothing acts on it.', { deprecated: true }),
  ca: message('An external CA.', {
    address: string('Its address: `host:port`.'),
    tlsSettings: as(ClientTLSSettings, 'How connections to it are secured.'),
    requestTimeout: duration('How long a request may take. Default: 10s.', { zero: true }),
    istiodSide: boolean('The control plane asks it, not the agents. Default: true.'),
  }),
  extensionProviders: list(ExtensionProvider, 'Authorizers, tracing services and logs that policies and Telemetry refer to.'),
  defaultProviders: message('Providers, by name, where Telemetry names none.', {
    tracing: strings('For tracing; one at most.'),
    metrics: strings('For metrics.'),
    accessLogging: strings('For access logs.'),
  }),
  discoverySelectors: list(LabelSelector, 'Namespaces that are part of the mesh: those that meet any of these. Default: all.'),
  pathNormalization: message('How paths of requests are cleaned before anything looks at them.', {
    normalization: choice(
      ['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'],
      'NONE: not at all. BASE (as DEFAULT): as RFC 3986 says, backslashes become slashes. MERGE_SLASHES: and one slash of several. DECODE_AND_MERGE_SLASHES: and `%2F`, `%5C` decoded before.',
    ),
  }),
  defaultHttpRetryPolicy: as(HTTPRetry, 'Retries where a VirtualService says nothing.'),
  meshMTLS: as(TLSConfig, 'Limits on TLS within the mesh. `ecdhCurves` is refused here.'),
  tlsDefaults: as(TLSConfig, 'Limits on all other TLS.'),
  defaultTrafficPolicy: message('What DestinationRules leave out.', {
    connectionPool: ConnectionPoolSettings,
    outlierDetection: OutlierDetection,
  }),
  serviceEntryVisibility: ServiceEntryVisibility,
});

export type LabelSelector = Static<typeof LabelSelector>;
export type TLSConfig = Static<typeof TLSConfig>;
export type MeshConfig = Static<typeof MeshConfig>;
