import { parseDuration } from '../duration.ts';
import type { ExtensionProvider, MeshConfig } from '../kinds/mesh-config.ts';
import type { FieldPath } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkWildcardHost } from './common.ts';
import { checkLocalities } from './localities.ts';
import { isDnsLabel, isPort } from './names.ts';
import { checkProxyConfig } from './proxy-config.ts';
import { checkRetries } from './retries.ts';
import { checkConnectionPool, checkOutlierDetection } from './traffic-policy.ts';

const RULE = 'semantic/mesh-config';
const HOUR = 3_600_000;
const CURVES = new Set(['P-224', 'P-256', 'P-384', 'P-521', 'X25519', 'X25519Kyber768Draft00', 'X25519MLKEM768', '']);

/** Istio's validation of the mesh's settings. What is absent has a valid default. */
export function checkMeshConfig(config: MeshConfig, report: Report): void {
  if (config.proxyListenPort !== undefined && !isPort(config.proxyListenPort)) {
    report.error(['proxyListenPort'], RULE, `a port is 1 to 65535, not ${config.proxyListenPort}`);
  }
  if (config.connectTimeout !== undefined && (parseDuration(config.connectTimeout) ?? 0) > HOUR) {
    report.error(['connectTimeout'], RULE, `\`connectTimeout\` is at most 1h, not ${config.connectTimeout}`);
  }
  if (config.defaultConfig) checkProxyConfig(config.defaultConfig, ['defaultConfig'], report);
  // The mesh's own outlier detection may be elsewhere: failover without it is not worth a word here.
  if (config.localityLbSetting) checkLocalities(config.localityLbSetting, true, ['localityLbSetting'], report);
  if (config.zoneAwareLbSetting) checkLocalities(config.zoneAwareLbSetting, true, ['zoneAwareLbSetting'], report);
  for (const [i, { hosts = [] }] of (config.serviceSettings ?? []).entries()) {
    for (const [j, host] of hosts.entries()) checkWildcardHost(host, ['serviceSettings', i, 'hosts', j], report);
  }
  if (config.trustDomain !== undefined) checkTrustDomain(config.trustDomain, ['trustDomain'], report);
  for (const [i, alias] of (config.trustDomainAliases ?? []).entries()) checkTrustDomain(alias, ['trustDomainAliases', i], report);
  checkCurves(config, report);
  const policy = config.defaultTrafficPolicy;
  if (policy?.connectionPool) checkConnectionPool(policy.connectionPool, ['defaultTrafficPolicy', 'connectionPool'], report);
  if (policy?.outlierDetection) checkOutlierDetection(policy.outlierDetection, ['defaultTrafficPolicy', 'outlierDetection'], report);
  if (config.defaultHttpRetryPolicy) checkRetries(config.defaultHttpRetryPolicy, ['defaultHttpRetryPolicy'], report);
  checkProviders(config.extensionProviders ?? [], report);
}

function checkTrustDomain(domain: string, path: FieldPath, report: Report): void {
  const name = domain.endsWith('.') ? domain.slice(0, -1) : domain;
  if (!name.split('.').every(isDnsLabel)) report.error(path, RULE, `${JSON.stringify(domain)} is no trust domain`);
}

function checkCurves({ meshMTLS, tlsDefaults }: MeshConfig, report: Report): void {
  if ((meshMTLS?.ecdhCurves ?? []).length > 0) {
    report.error(['meshMTLS', 'ecdhCurves'], RULE, '`ecdhCurves` cannot be set for the TLS within the mesh', { atKey: true });
  }
  const seen = new Set<string>();
  for (const [i, curve] of (tlsDefaults?.ecdhCurves ?? []).entries()) {
    const at = ['tlsDefaults', 'ecdhCurves', i];
    if (!CURVES.has(curve)) report.warning(at, RULE, `the curve ${JSON.stringify(curve)} is not known`);
    else if (seen.has(curve)) report.warning(at, RULE, `the curve ${JSON.stringify(curve)} is there twice`);
    seen.add(curve);
  }
}

function checkProviders(providers: readonly ExtensionProvider[], report: Report): void {
  const names = new Set<string>();
  for (const [i, provider] of providers.entries()) {
    const { name = '', ...rest } = provider;
    const at = ['extensionProviders', i];
    if (name === '') report.warning(at, RULE, 'a provider needs a `name`');
    else if (names.has(name)) report.warning([...at, 'name'], RULE, `the provider ${JSON.stringify(name)} is there twice`);
    names.add(name);
    const type = Object.keys(rest)[0];
    if (type === undefined) report.warning(at, RULE, `the provider ${JSON.stringify(name)} says not what it is`);
    const settings = (rest as Record<string, { service?: string; port?: number } | undefined>)[type ?? ''];
    if (settings?.service === undefined) continue;
    if (settings.port === undefined || !isPort(settings.port))
      report.warning([...at, type!], RULE, `${type} needs the \`port\` of its service`, { atKey: true });
  }
}
