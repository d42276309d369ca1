import type { IstioEgressListener, IstioIngressListener, Sidecar, SidecarPort } from '../kinds/networking.ts';
import type { FieldPath, Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { checkDestination, checkSelector } from './common.ts';
import { isDnsLabel, isFqdn, isIpAddress, isPartialWildcard, isPort, isUnixPath, isWildcardHost, protocolClass } from './names.ts';
import { checkServerTls } from './server-tls.ts';
import { checkConnectionPool } from './traffic-policy.ts';

/** Istio's validation of Sidecars (IST0106). */
export function checkSidecar(resource: Resource, report: Report): void {
  const spec = resource.spec as Sidecar;
  if (spec.workloadSelector) checkSelector(spec.workloadSelector.labels, ['spec', 'workloadSelector', 'labels'], report);
  const { egress = [], ingress = [], outboundTrafficPolicy, inboundConnectionPool } = spec;
  if (egress.length === 0 && ingress.length === 0 && !outboundTrafficPolicy && !inboundConnectionPool) {
    report.error(['spec'], 'semantic/empty', 'the Sidecar says nothing', { atKey: true, hint: 'Add `egress` or `ingress`' });
    return;
  }
  const ports = new Set<number>();
  for (const [i, listener] of ingress.entries()) checkIngress(listener, ['spec', 'ingress', i], ports, report);
  if (inboundConnectionPool) checkConnectionPool(inboundConnectionPool, ['spec', 'inboundConnectionPool'], report);
  const outbound: Seen = { ports: new Set(), binds: new Set() };
  for (const [i, listener] of egress.entries()) checkEgress(listener, i === egress.length - 1, ['spec', 'egress', i], outbound, report);
  if (outboundTrafficPolicy) checkOutbound(outboundTrafficPolicy, ['spec', 'outboundTrafficPolicy'], report);
}

function checkPortFields(port: SidecarPort, path: FieldPath, report: Report): void {
  if (port.targetPort !== undefined && port.targetPort !== 0)
    report.error([...path, 'targetPort'], 'semantic/port', '`targetPort` is not possible here', { atKey: true });
  if (port.name && !isDnsLabel(port.name)) report.error([...path, 'name'], 'semantic/name', `${quote(port.name)} is no name of a port`);
  if (port.protocol && protocolClass(port.protocol) === 'unknown')
    report.error([...path, 'protocol'], 'semantic/port', `${quote(port.protocol)} is no protocol`);
}

function checkNumber(number: number | undefined, path: FieldPath, seen: Set<number>, report: Report): void {
  if (number === undefined || !isPort(number)) report.error(path, 'semantic/port', `a port is 1 to 65535, not ${number ?? 'empty'}`);
  else if (seen.has(number)) report.error(path, 'semantic/duplicate-port', `the port ${number} is there twice`);
  else seen.add(number);
}

function checkBind(bind: string | undefined, path: FieldPath, report: Report): void {
  if (bind && !isIpAddress(bind)) report.error(path, 'semantic/address', `${quote(bind)} is no IP address`);
}

function checkIngress(listener: IstioIngressListener, path: FieldPath, seen: Set<number>, report: Report): void {
  checkPortFields(listener.port, [...path, 'port'], report);
  checkNumber(listener.port.number, [...path, 'port', 'number'], seen, report);
  checkBind(listener.bind, [...path, 'bind'], report);
  if (listener.defaultEndpoint) checkDefaultEndpoint(listener.defaultEndpoint, [...path, 'defaultEndpoint'], report);
  if (listener.tls) checkIngressTls(listener, [...path, 'tls'], report);
  if (listener.connectionPool) {
    checkConnectionPool(listener.connectionPool, [...path, 'connectionPool'], report);
    if (listener.connectionPool.http && protocolClass(listener.port.protocol) !== 'http') {
      report.warning(
        [...path, 'connectionPool', 'http'],
        'semantic/connection-pool',
        'limits on requests do nothing on a port that is not HTTP',
        { atKey: true },
      );
    }
  }
}

const LOCAL = new Set(['', '127.0.0.1', '0.0.0.0', '::1', '::']);

function checkDefaultEndpoint(endpoint: string, path: FieldPath, report: Report): void {
  if (endpoint.startsWith('unix://')) {
    if (!isUnixPath(endpoint.slice('unix://'.length)))
      report.error(path, 'semantic/address', `${quote(endpoint)} is no absolute path of a socket`);
    return;
  }
  const parts = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(endpoint);
  if (parts === null) report.error(path, 'semantic/address', `${quote(endpoint)} must be \`127.0.0.1:PORT\` or \`unix:///path\``);
  else if (!LOCAL.has(parts[1] ?? parts[2] ?? '')) {
    report.error(path, 'semantic/address', 'requests go on to this workload only', {
      hint: 'The address is 127.0.0.1, 0.0.0.0, [::1] or [::]',
    });
  } else if (!isPort(Number(parts[3]))) report.error(path, 'semantic/port', `a port is 1 to 65535, not ${parts[3]}`);
}

function checkIngressTls({ tls, port }: IstioIngressListener, path: FieldPath, report: Report): void {
  for (const field of ['subjectAltNames', 'httpsRedirect', 'credentialName', 'credentialNames', 'tlsCertificates'] as const) {
    const value = tls![field];
    if (Array.isArray(value) ? value.length > 0 : value)
      report.error([...path, field], 'semantic/tls', `\`${field}\` is not possible in a Sidecar`, { atKey: true });
  }
  if (tls!.mode === 'ISTIO_MUTUAL' || tls!.mode === 'AUTO_PASSTHROUGH')
    report.error([...path, 'mode'], 'semantic/tls', `mode ${tls!.mode} is not possible in a Sidecar`);
  if (protocolClass(port.protocol) !== 'tls')
    report.error(path, 'semantic/tls', 'TLS needs a port of protocol HTTPS or TLS', { atKey: true });
  checkServerTls(tls!, path, report);
}

interface Seen {
  ports: Set<number>;
  binds: Set<string>;
}

function checkEgress(listener: IstioEgressListener, last: boolean, path: FieldPath, seen: Seen, report: Report): void {
  const { port, bind, captureMode } = listener;
  if (port === undefined) {
    if (!last)
      report.error(path, 'semantic/order', 'a listener without `port` takes all that is left, so it comes last', {
        hint: 'Move it to the end',
      });
  } else {
    checkPortFields(port, [...path, 'port'], report);
    if ((port.number ?? 0) === 0) {
      if (!bind?.startsWith('unix://') || !isUnixPath(bind.slice('unix://'.length))) {
        report.error([...path, 'port'], 'semantic/port', 'port 0 needs a `bind` to a unix socket', { atKey: true });
      } else if (seen.binds.has(bind)) report.error([...path, 'bind'], 'semantic/duplicate-port', `${quote(bind)} is there twice`);
      else seen.binds.add(bind);
      if (captureMode === 'IPTABLES')
        report.error([...path, 'captureMode'], 'semantic/port', 'traffic to a unix socket cannot be redirected', {
          hint: 'Use DEFAULT or NONE',
        });
    } else {
      checkNumber(port.number, [...path, 'port', 'number'], seen.ports, report);
      checkBind(bind, [...path, 'bind'], report);
    }
  }
  checkEgressHosts(listener.hosts, [...path, 'hosts'], report);
}

function checkEgressHosts(hosts: readonly string[], path: FieldPath, report: Report): void {
  if (hosts.length === 0) report.error(path, 'semantic/host', 'a listener needs hosts', { atKey: true, hint: '`*/*` stands for all' });
  const byNamespace = new Map<string, Set<string>>();
  for (const [i, text] of hosts.entries()) {
    const at = [...path, i];
    const [namespace = '', host = '', ...rest] = text.split('/');
    const left = namespace.startsWith('~') ? namespace.slice(1) : namespace;
    if (namespace === '' || host === '' || rest.length > 0) {
      report.error(at, 'semantic/host', `${quote(text)} must be \`namespace/host\``, {
        hint: '`*/host` for any namespace, `./host` for the own one',
      });
      continue;
    }
    if (!['', '*', '.'].includes(left) && !isDnsLabel(left))
      report.error(at, 'semantic/host', `${quote(namespace)} is no namespace, \`.\` or \`*\``);
    if (host !== '*' && !host.includes('.')) {
      report.error(at, 'semantic/host', `hosts are full names here: ${quote(host)} has no dot`, {
        hint: `Write \`${namespace}/${host}.NAMESPACE.svc.cluster.local\``,
      });
    } else if (!isWildcardHost(host) || isPartialWildcard(host)) report.error(at, 'semantic/host', `${quote(host)} is no host name`);
    if (namespace.startsWith('~')) continue;
    const known = byNamespace.get(namespace) ?? new Set();
    if (known.has(host) || known.has('*') || (host === '*' && known.size > 0)) {
      report.warning(at, 'semantic/duplicate-host', `${quote(text)} is there twice, or covered by \`${namespace}/*\``);
    }
    byNamespace.set(namespace, known.add(host));
  }
  if (byNamespace.get('*')?.has('*') && byNamespace.size > 1)
    report.warning(path, 'semantic/duplicate-host', '`*/*` covers all other hosts of the list', { atKey: true });
}

function checkOutbound({ mode, egressProxy }: NonNullable<Sidecar['outboundTrafficPolicy']>, path: FieldPath, report: Report): void {
  if (!egressProxy) return;
  const at = [...path, 'egressProxy'];
  if (mode !== 'ALLOW_ANY') report.error(at, 'semantic/outbound', '`egressProxy` needs `mode: ALLOW_ANY`', { atKey: true });
  else if (!isFqdn(egressProxy.host)) report.error([...at, 'host'], 'semantic/host', `${quote(egressProxy.host)} is no host name`);
  else if (egressProxy.port === undefined) report.error(at, 'semantic/port', '`egressProxy` needs `port`', { atKey: true });
  else checkDestination(egressProxy, at, report);
}
