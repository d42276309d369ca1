import { parseDuration } from '../duration.ts';
import type { MeshProxyConfig } from '../kinds/mesh-config.ts';
import type { ProxyConfig } from '../kinds/networking.ts';
import type { FieldPath, Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkClientTls } from './client-tls.ts';
import { checkSelector } from './common.ts';
import { isFqdn, isIpAddress, isPort } from './names.ts';

/** Istio's validation of the kind ProxyConfig (IST0106). */
export function checkProxyConfigResource(resource: Resource, report: Report): void {
  const { selector } = resource.spec as ProxyConfig;
  if (selector) checkSelector(selector.matchLabels, ['spec', 'selector', 'matchLabels'], report);
}

const RULE = 'semantic/proxy-config';

/** `host:port`; `$(HOST_IP)` stands for an address where `variable` says so. */
export function checkHostPort(address: string, path: FieldPath, report: Report, variable = false): void {
  const parts = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(address);
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const good =
    parts !== null && isPort(Number(parts[3] || Number.NaN)) && (isFqdn(host) || isIpAddress(host) || (variable && host === '$(HOST_IP)'));
  if (!good) report.error(path, RULE, `${JSON.stringify(address)} must be \`host:port\``);
}

/** The rules of the mesh's `defaultConfig`, and of the annotation `proxy.istio.io/config` that is laid over it. What is absent has a default. */
export function checkProxyConfig(config: MeshProxyConfig, path: FieldPath, report: Report): void {
  const at = (...more: (string | number)[]): FieldPath => [...path, ...more];
  for (const field of ['configPath', 'binaryPath', 'serviceCluster'] as const) {
    if (config[field] === '') report.error(at(field), RULE, `\`${field}\` must not be empty`);
  }
  const drain = config.drainDuration === undefined ? 0 : (parseDuration(config.drainDuration) ?? 0);
  if (drain % 1000 !== 0) report.error(at('drainDuration'), RULE, `\`drainDuration\` is in whole seconds, not ${config.drainDuration}`);
  if (config.discoveryAddress !== undefined) checkHostPort(config.discoveryAddress, at('discoveryAddress'), report);
  checkTracing(config, at('tracing'), report);
  for (const field of ['statsdUdpAddress', 'envoyMetricsServiceAddress'] as const) {
    if (config[field]) checkHostPort(config[field], at(field), report);
  }
  for (const field of ['envoyMetricsService', 'envoyAccessLogService'] as const) {
    if (config[field]?.address) checkHostPort(config[field].address, at(field, 'address'), report);
  }
  for (const field of ['proxyAdminPort', 'statusPort'] as const) {
    if (config[field] !== undefined && !isPort(config[field])) report.error(at(field), RULE, `a port is 1 to 65535, not ${config[field]}`);
  }
  if (config.controlPlaneAuthPolicy === 'INHERIT') {
    report.error(at('controlPlaneAuthPolicy'), RULE, '`controlPlaneAuthPolicy` is NONE or MUTUAL_TLS');
  }
  checkKeyProvider(config, at('privateKeyProvider'), report);
  checkConnectionSettings(config, at('connectionSettings'), report);
  if (Object.hasOwn(config.proxyMetadata ?? {}, 'ISTIO_META_DNS_AUTO_ALLOCATE')) {
    report.warning(
      at('proxyMetadata', 'ISTIO_META_DNS_AUTO_ALLOCATE'),
      'semantic/deprecated',
      '`ISTIO_META_DNS_AUTO_ALLOCATE` is deprecated',
      {
        atKey: true,
        hint: 'The control plane allocates addresses by itself',
      },
    );
  }
}

function checkTracing({ tracing }: MeshProxyConfig, path: FieldPath, report: Report): void {
  if (tracing === undefined) return;
  for (const name of ['lightstep', 'zipkin', 'datadog'] as const) {
    const provider = tracing[name];
    if (provider === undefined) continue;
    checkHostPort(provider.address ?? '', [...path, name, 'address'], report, name !== 'lightstep');
    if (name === 'lightstep' && !tracing.lightstep?.accessToken)
      report.error([...path, name], RULE, 'Lightstep needs `accessToken`', { atKey: true });
  }
  if (tracing.tlsSettings) checkClientTls(tracing.tlsSettings, [...path, 'tlsSettings'], '', report);
}

function checkKeyProvider({ privateKeyProvider: provider }: MeshProxyConfig, path: FieldPath, report: Report): void {
  if (provider === undefined) return;
  const name = provider.cryptomb !== undefined ? 'cryptomb' : provider.qat !== undefined ? 'qat' : undefined;
  if (name === undefined) report.error(path, RULE, '`privateKeyProvider` needs `cryptomb` or `qat`', { atKey: true });
  else if (provider[name]!.pollDelay === undefined) report.error([...path, name], RULE, `\`${name}\` needs \`pollDelay\``, { atKey: true });
}

const ABOVE_ZERO = new Set(['httpMaxConcurrentStreams', 'listenerConnectionLimit', 'globalDownstreamConnectionLimit']);
const WINDOWS = new Set(['http2InitialStreamWindowSize', 'http2InitialConnectionWindowSize']);

function checkConnectionSettings({ connectionSettings = {} }: MeshProxyConfig, path: FieldPath, report: Report): void {
  for (const [field, value] of Object.entries(connectionSettings)) {
    if (typeof value !== 'number') continue;
    const least = WINDOWS.has(field) ? 65535 : ABOVE_ZERO.has(field) ? 1 : 0;
    if (value < least) report.error([...path, field], RULE, `\`${field}\` must be at least ${least}, not ${value}`);
  }
}
