import type {
  ConnectionPoolSettings,
  LoadBalancerSettings,
  LocalityLoadBalancerSetting,
  OutlierDetection,
  TrafficPolicy,
  ZoneAwareLoadBalancerSetting,
} from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import { errorsOnly, type Report } from '../validation/report.ts';
import { checkClientTls } from './client-tls.ts';
import { checkLocalities } from './localities.ts';
import { isFqdn, isIpAddress, isPort } from './names.ts';

const PORT_PARTS = ['outlierDetection', 'connectionPool', 'loadBalancer', 'tls'] as const;
const PARTS = [...PORT_PARTS, 'portLevelSettings', 'tunnel', 'proxyProtocol', 'retryBudget'] as const;

/** The rules of a traffic policy, its port levels included; `namespace` is the DestinationRule's. */
export function checkTrafficPolicy(policy: TrafficPolicy, path: FieldPath, namespace: string, report: Report): void {
  if (!PARTS.some((part) => policy[part] !== undefined)) {
    report.error(path, 'semantic/empty', 'the traffic policy says nothing', { atKey: true, hint: 'Remove it' });
    return;
  }
  if (policy.tunnel && policy.proxyProtocol) {
    report.error([...path, 'proxyProtocol'], 'semantic/exclusive', '`proxyProtocol` cannot be together with `tunnel`', { atKey: true });
  }
  checkParts(policy, path, namespace, report);
  for (const [i, settings] of (policy.portLevelSettings ?? []).entries()) {
    const at = [...path, 'portLevelSettings', i];
    if (settings.port === undefined) report.error(at, 'semantic/port', 'settings for a port need `port`');
    if (!PORT_PARTS.some((part) => settings[part] !== undefined)) {
      report.error(at, 'semantic/empty', 'the settings of the port say nothing', { hint: 'Remove them' });
    }
    checkParts(settings, at, namespace, errorsOnly(report));
  }
  if (policy.tunnel) checkTunnel(policy.tunnel, [...path, 'tunnel'], report);
}

function checkParts(policy: Pick<TrafficPolicy, (typeof PORT_PARTS)[number]>, path: FieldPath, namespace: string, report: Report): void {
  if (policy.outlierDetection) checkOutlierDetection(policy.outlierDetection, [...path, 'outlierDetection'], report);
  if (policy.connectionPool) checkConnectionPool(policy.connectionPool, [...path, 'connectionPool'], report);
  if (policy.loadBalancer) checkLoadBalancer(policy.loadBalancer, policy.outlierDetection !== undefined, [...path, 'loadBalancer'], report);
  if (policy.tls) checkClientTls(policy.tls, [...path, 'tls'], namespace, report);
}

function checkTunnel(tunnel: NonNullable<TrafficPolicy['tunnel']>, path: FieldPath, report: Report): void {
  if (tunnel.protocol && tunnel.protocol !== 'CONNECT' && tunnel.protocol !== 'POST') {
    report.error([...path, 'protocol'], 'semantic/tunnel', `a tunnel is \`CONNECT\` or \`POST\`, not ${quote(tunnel.protocol)}`);
  }
  if (!isFqdn(tunnel.targetHost) && !isIpAddress(tunnel.targetHost)) {
    report.error([...path, 'targetHost'], 'semantic/host', `${quote(tunnel.targetHost)} is neither a host name nor an IP address`);
  }
  if (!isPort(tunnel.targetPort)) report.error([...path, 'targetPort'], 'semantic/port', `a port is 1 to 65535, not ${tunnel.targetPort}`);
}

export function checkOutlierDetection(outlier: OutlierDetection, path: FieldPath, report: Report): void {
  if (outlier.consecutiveErrors !== undefined) {
    report.warning([...path, 'consecutiveErrors'], 'semantic/deprecated', '`consecutiveErrors` is deprecated', {
      atKey: true,
      hint: 'Use `consecutive5xxErrors` or `consecutiveGatewayErrors`',
    });
  }
  if ((outlier.consecutiveLocalOriginFailures ?? 0) > 0 && outlier.splitExternalLocalOriginErrors !== true) {
    report.error(
      [...path, 'consecutiveLocalOriginFailures'],
      'semantic/outlier-detection',
      '`consecutiveLocalOriginFailures` needs `splitExternalLocalOriginErrors: true`',
      { atKey: true },
    );
  }
}

const COUNTS = ['http1MaxPendingRequests', 'http2MaxRequests', 'maxRequestsPerConnection', 'maxRetries', 'maxConcurrentStreams'] as const;

export function checkConnectionPool(pool: ConnectionPoolSettings, path: FieldPath, report: Report): void {
  const { http, tcp } = pool;
  if (!http && !tcp) report.error(path, 'semantic/empty', 'a connection pool needs `http` or `tcp`', { atKey: true });
  for (const field of COUNTS) {
    const count = http?.[field];
    if (count !== undefined && count < 0)
      report.error([...path, 'http', field], 'semantic/connection-pool', `\`${field}\` must not be negative: ${count}`);
  }
  if (http?.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
    report.error(
      [...path, 'http', 'useClientProtocol'],
      'semantic/exclusive',
      '`useClientProtocol` cannot be together with `h2UpgradePolicy: UPGRADE`',
      { atKey: true },
    );
  }
  if (http?.http2KeepAlive) {
    for (const field of ['interval', 'timeout'] as const) {
      if (http.http2KeepAlive[field] !== undefined) continue;
      report.error([...path, 'http', 'http2KeepAlive'], 'semantic/connection-pool', `\`http2KeepAlive\` needs \`${field}\``, {
        atKey: true,
      });
    }
  }
  if (tcp?.maxConnections !== undefined && tcp.maxConnections < 0) {
    report.error(
      [...path, 'tcp', 'maxConnections'],
      'semantic/connection-pool',
      `\`maxConnections\` must not be negative: ${tcp.maxConnections}`,
    );
  }
}

/** Istio's bound for Maglev tables, itself a prime; Envoy's too. */
const MAX_TABLE = 5_000_011;

function checkLoadBalancer(balancer: LoadBalancerSettings, hasOutlierDetection: boolean, path: FieldPath, report: Report): void {
  const { consistentHash: hash, warmup, localityLbSetting, zoneAwareLbSetting } = balancer;
  if (hash) checkConsistentHash(hash, [...path, 'consistentHash'], report);
  if (warmup?.aggression !== undefined && warmup.aggression <= 0) {
    report.error([...path, 'warmup', 'aggression'], 'semantic/warmup', `\`aggression\` must be above 0, not ${warmup.aggression}`);
  }
  if (localityLbSetting)
    checkLocalities(localityLbSetting as LocalityLoadBalancerSetting, hasOutlierDetection, [...path, 'localityLbSetting'], report);
  if (zoneAwareLbSetting) {
    checkLocalities(zoneAwareLbSetting as ZoneAwareLoadBalancerSetting, hasOutlierDetection, [...path, 'zoneAwareLbSetting'], report);
    if (localityLbSetting) {
      report.error(
        [...path, 'zoneAwareLbSetting'],
        'semantic/exclusive',
        '`zoneAwareLbSetting` cannot be together with `localityLbSetting`',
        { atKey: true },
      );
    }
  }
}

function checkConsistentHash(hash: NonNullable<LoadBalancerSettings['consistentHash']>, path: FieldPath, report: Report): void {
  const { httpCookie, minimumRingSize, ringHash, maglev } = hash;
  if (httpCookie) {
    const at = [...path, 'httpCookie'];
    if (httpCookie.name === '') report.error([...at, 'name'], 'semantic/cookie', 'a cookie needs a name');
    const seen = new Set<string>();
    for (const [i, { name }] of (httpCookie.attributes ?? []).entries()) {
      if (name === '') report.error([...at, 'attributes', i, 'name'], 'semantic/cookie', 'an attribute needs a name');
      else if (seen.has(name))
        report.error([...at, 'attributes', i, 'name'], 'semantic/cookie', `the attribute ${quote(name)} is there twice`);
      seen.add(name);
    }
  }
  if (minimumRingSize !== undefined) {
    report.warning([...path, 'minimumRingSize'], 'semantic/deprecated', '`minimumRingSize` is deprecated', {
      atKey: true,
      hint: 'Use `ringHash.minimumRingSize`',
    });
    if (ringHash || maglev) {
      report.error(
        [...path, 'minimumRingSize'],
        'semantic/exclusive',
        `\`minimumRingSize\` cannot be together with \`${ringHash ? 'ringHash' : 'maglev'}\``,
        { atKey: true },
      );
    }
  }
  const size = maglev?.tableSize;
  if (size !== undefined && (size >= MAX_TABLE || !isPrime(size))) {
    const hint = size < MAX_TABLE ? 'The default is 65537' : undefined;
    report.error(
      [...path, 'maglev', 'tableSize'],
      'semantic/maglev',
      `the size of a Maglev table is a prime below ${MAX_TABLE}, not ${size}`,
      { hint },
    );
  }
}

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}
