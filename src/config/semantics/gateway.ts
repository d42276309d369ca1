import type { Gateway, Server } from '../kinds/networking.ts';
import type { FieldPath, Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { isDnsLabel, isIpAddress, isPartialWildcard, isPort, isUnixPath, isWildcardHost, protocolClass } from './names.ts';
import { checkServerTls } from './server-tls.ts';

/** Istio's validation of Gateways (IST0106). */
export function checkGateway(resource: Resource, report: Report): void {
  const spec = resource.spec as Gateway;
  if (!isDnsLabel(resource.metadata.name)) report.error(['metadata', 'name'], 'semantic/name', 'the name of a Gateway has no dots');
  const servers = spec.servers ?? [];
  if (servers.length === 0) report.error(['spec'], 'semantic/empty', 'the Gateway has no servers', { atKey: true, hint: 'Add `servers`' });
  const names = new Set<string>();
  for (const [i, server] of servers.entries()) {
    const path = ['spec', 'servers', i];
    checkServer(server, path, report);
    const { name } = server.port;
    if (name !== '' && names.has(name)) {
      report.error([...path, 'port', 'name'], 'semantic/duplicate-name', `the port name ${quote(name)} is there twice`, {
        hint: 'Give each port of the Gateway a name of its own',
      });
    }
    names.add(name);
  }
}

function checkServer(server: Server, path: FieldPath, report: Report): void {
  if (server.hosts.length === 0)
    report.error([...path, 'hosts'], 'semantic/host', 'a server needs hosts', { atKey: true, hint: '`"*"` serves all' });
  for (const [i, host] of server.hosts.entries()) checkGatewayHost(host, [...path, 'hosts', i], report);
  const unix = checkBind(server, path, report);
  const portGood = checkPort(server, unix, path, report);
  const { tls } = server;
  if (tls) checkServerTls(tls, [...path, 'tls'], report);
  const http = protocolClass(server.port.protocol) === 'http';
  if (tls?.httpsRedirect === true && !http) {
    report.warning(
      [...path, 'tls', 'httpsRedirect'],
      'semantic/tls',
      `\`httpsRedirect\` does nothing on a port of protocol ${server.port.protocol}`,
      { atKey: true },
    );
  }
  if (portGood) checkTlsOfProtocol(server, path, report);
}

function checkTlsOfProtocol({ port, tls }: Server, path: FieldPath, report: Report): void {
  const kind = protocolClass(port.protocol);
  if (kind === 'tls') {
    if (!tls)
      report.error(path, 'semantic/tls', `a port of protocol ${port.protocol} needs \`tls\``, {
        hint: 'Say with `tls.mode` whether TLS ends here',
      });
  } else if (tls) {
    const passes = tls.mode === undefined || tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH';
    if (kind === 'http' && passes && !tls.caCertificates && !tls.privateKey && !tls.serverCertificate) return;
    report.error([...path, 'tls'], 'semantic/tls', `a port of protocol ${port.protocol} has no TLS`, {
      atKey: true,
      hint: 'Use protocol HTTPS or TLS',
    });
  }
}

/** `[namespace/]host`. */
function checkGatewayHost(text: string, path: FieldPath, report: Report): void {
  const slash = text.indexOf('/');
  const namespace = slash === -1 ? '*' : text.slice(0, slash);
  const host = text.slice(slash + 1);
  if (namespace === '' || host === '') {
    report.error(path, 'semantic/host', `${quote(text)} must be \`host\` or \`namespace/host\``);
  } else if (namespace !== '*' && namespace !== '.' && !isDnsLabel(namespace)) {
    report.error(path, 'semantic/host', `${quote(namespace)} is no namespace, \`.\` or \`*\``);
  } else if (host !== '*' && !host.includes('.') && !isIpAddress(host)) {
    report.error(path, 'semantic/host', `a gateway serves full names: ${quote(host)} has no dot`, {
      hint: 'Clients outside send names like shop.example.com',
    });
  } else if (isPartialWildcard(host) || !(isWildcardHost(host) || isIpAddress(host))) {
    report.error(path, 'semantic/host', `${quote(host)} is no host name`, {
      hint: host.includes('*') ? 'A wildcard is a whole first label: `*.example.com`' : undefined,
    });
  }
}

function checkBind({ bind, port }: Server, path: FieldPath, report: Report): boolean {
  if (bind === undefined || bind === '') return false;
  if (bind.startsWith('unix://')) {
    if (!isUnixPath(bind.slice('unix://'.length)))
      report.error([...path, 'bind'], 'semantic/address', `${quote(bind)} is no absolute path of a socket`);
    if (port.number !== 0) report.error([...path, 'port', 'number'], 'semantic/port', 'the port of a unix socket is 0');
    return true;
  }
  if (!isIpAddress(bind))
    report.error([...path, 'bind'], 'semantic/address', `${quote(bind)} is neither an IP address nor a \`unix://\` path`);
  return false;
}

function checkPort({ port }: Server, unix: boolean, path: FieldPath, report: Report): boolean {
  let good = true;
  const refuse = (field: string, message: string, hint?: string): void => {
    good = false;
    report.error([...path, 'port', field], 'semantic/port', message, { hint });
  };
  if (protocolClass(port.protocol) === 'unknown')
    refuse('protocol', `${quote(port.protocol)} is no protocol`, 'Protocols are HTTP, HTTPS, GRPC, GRPC-Web, HTTP2, MONGO, TCP and TLS');
  if (!isPort(port.number) && !(unix && port.number === 0)) refuse('number', `a port is 1 to 65535, not ${port.number}`);
  if (port.targetPort !== undefined && port.targetPort !== 0) refuse('targetPort', '`targetPort` is not possible here');
  if (port.name === '') refuse('name', 'a port needs a name');
  return good;
}
