import type { Static } from 'typebox';
import { ClientTLSSettings } from '../networking/client-tls.ts';
import { TcpKeepalive } from '../networking/connection-pool.ts';
import { ProxyImage } from '../networking/proxy-config.ts';
import { ReadinessProbe } from '../networking/readiness-probe.ts';
import { as, boolean, choice, duration, int32, message, port, string, stringMap, strings, uint32 } from '../schema.ts';
import { ConnectionSettings } from './connection-settings.ts';
import { forwardClientCertDetails, ProxyHeaders } from './proxy-headers.ts';
import { Tracing } from './tracing.ts';

export const RemoteService = message('A gRPC service that proxies send to.', {
  address: string('Its address: `host:port`.'),
  tlsSettings: as(ClientTLSSettings, 'How connections to it are secured.'),
  tcpKeepalive: TcpKeepalive,
});

const keyProvider = (name: string) =>
  message(name, {
    pollDelay: duration('How long operations wait for a full batch; more is slower and cheaper.'),
    fallback: boolean('Uses the built-in implementation where the hardware is missing. Default: false.'),
  });

export const MeshProxyConfig = message(
  'Settings of proxies, for the whole mesh or, by the annotation `proxy.istio.io/config`, for one workload.',
  {
    configPath: string("Folder of the proxy's generated files. Default: `./etc/istio/proxy`."),
    binaryPath: string('The Envoy binary.'),
    serviceCluster: string('Name of the service for traces. Default: `istio-proxy`, which gives way to the labels of the workload.'),
    tracingServiceName: choice(
      ['APP_LABEL_AND_NAMESPACE', 'CANONICAL_NAME_ONLY', 'CANONICAL_NAME_AND_NAMESPACE'],
      'What the name of the service for traces is made of.',
    ),
    drainDuration: duration('How long listeners that go away still serve, in whole seconds. Default: 45s.'),
    discoveryAddress: string('Control plane: `host:port`. Default: `istiod.istio-system.svc:15012`.'),
    discoveryRefreshDelay: duration('Nothing acts on it.', { zero: true, deprecated: true }),
    zipkinAddress: string('Use `tracing.zipkin.address`.', { deprecated: true }),
    statsdUdpAddress: string('A statsd server for statistics: `ip:port`.'),
    envoyMetricsServiceAddress: string('Use `envoyMetricsService.address`.', { deprecated: true }),
    proxyAdminPort: port("Port of Envoy's administration interface. Default: 15000."),
    availabilityZone: string('Nothing acts on it.', { deprecated: true }),
    controlPlaneAuthPolicy: choice(
      ['NONE', 'MUTUAL_TLS', 'INHERIT'],
      'How connections to the control plane are secured: plain, or mutual TLS (the default). INHERIT is refused.',
    ),
    customConfigFile: string('An Envoy configuration that is used as it is, in place of a generated one.'),
    statNameLength: int32('Longest name of a cluster or listener, for statistics. Default: 189.'),
    concurrency: int32('Worker threads. 0: one a CPU core. Default: as many as the CPU limit allows.', { minimum: 0 }),
    proxyBootstrapTemplatePath: string('File with the template of the Envoy bootstrap.'),
    interceptionMode: choice(
      ['REDIRECT', 'TPROXY', 'NONE'],
      "How the application's connections get to the proxy. REDIRECT (the default): by NAT. TPROXY: transparently, the client's address kept. NONE: the application connects to the proxy itself.",
    ),
    tracing: Tracing,
    sds: message(
      'Nothing acts on it.',
      { enabled: boolean('Nothing acts on it.'), k8sSaJwtPath: string('Nothing acts on it.') },
      { deprecated: true },
    ),
    envoyAccessLogService: as(RemoteService, 'A gRPC service for access logs (ALS).'),
    envoyMetricsService: as(RemoteService, 'A gRPC service for statistics.'),
    proxyMetadata: stringMap(
      'Further environment variables of the agent, by name. Names that begin with `ISTIO_META_` go into the node metadata.',
    ),
    runtimeValues: stringMap("Envoy's runtime settings, by name."),
    statusPort: port('Port of the agent for health and merged metrics. Default: 15020.'),
    extraStatTags: strings('Further tags that are taken out of names of statistics; seldom needed any more.'),
    gatewayTopology: message('What stands in front of gateways.', {
      numTrustedProxies: uint32('Trusted proxies in front; as many entries of x-forwarded-for, from its end, are believed. Default: 0.'),
      forwardClientCertDetails,
      proxyProtocol: message('Present: clients speak the PROXY protocol.', {}),
    }),
    terminationDrainDuration: duration('How long the proxy waits for its connections when it is stopped. Default: 5s.', { zero: true }),
    meshId: string('Name of the mesh. Default: the trust domain.'),
    readinessProbe: ReadinessProbe,
    proxyStatsMatcher: message('Statistics that are kept besides the usual ones.', {
      inclusionPrefixes: strings('By how their names begin.'),
      inclusionSuffixes: strings('By how their names end.'),
      inclusionRegexps: strings('By RE2 expressions for their names.'),
    }),
    holdApplicationUntilProxyStarts: boolean('Starts the containers of a pod after its proxy is ready. Default: false.'),
    caCertificatesPem: strings('Root certificates, PEM, that workloads trust besides those of the CA.'),
    image: ProxyImage,
    privateKeyProvider: message(
      'Hardware that works with private keys.',
      { cryptomb: keyProvider('Intel CryptoMB (AVX-512).'), qat: keyProvider('Intel QAT.') },
      { oneOf: [['cryptomb', 'qat']] },
    ),
    proxyHeaders: ProxyHeaders,
    fileFlushInterval: duration('How often log files are written out. Default: 1s.'),
    fileFlushMinSizeKb: uint32('How much of a log is held back before it is written out, in KiB. Default: 64.'),
    statsCompression: boolean('Offers compressed answers on the metrics port. Default: true.'),
    connectionSettings: ConnectionSettings,
  },
  { oneOf: [['serviceCluster', 'tracingServiceName']] },
);

export type MeshProxyConfig = Static<typeof MeshProxyConfig>;
