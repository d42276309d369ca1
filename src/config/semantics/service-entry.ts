import type { ServiceEntry } from '../kinds/networking.ts';
import type { Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { checkExportTo, checkLabels, checkSelector, hostHint, notAHost } from './common.ts';
import { isDnsLabel, isFqdn, isIpAddress, isPartialWildcard, isSubnet, isWildcardHost, protocolClass } from './names.ts';
import { checkEndpoint } from './workload-entry.ts';

const RESOLUTION = ['spec', 'resolution'];

/** Istio's validation of ServiceEntries (IST0106). */
export function checkServiceEntry(resource: Resource, report: Report): void {
  const spec = resource.spec as ServiceEntry;
  const resolution = spec.resolution ?? 'NONE';
  if (spec.workloadSelector) checkSelector(spec.workloadSelector.labels, ['spec', 'workloadSelector', 'labels'], report);
  checkHosts(spec, resolution, report);
  checkAddresses(spec, resolution, report);
  checkPorts(spec, resource, resolution, report);
  if (resolution === 'NONE') checkNone(spec, report);
  else if (resolution === 'STATIC') checkStatic(spec, report);
  else if (resolution === 'DYNAMIC_DNS') checkDynamicDns(spec, resource, report);
  else checkDns(spec, resolution, report);
  const others = (spec.ports ?? []).findIndex(({ protocol }) => !['http', 'tls'].includes(protocolClass(protocol)));
  if (spec.hosts.length > 1 && others !== -1 && resolution !== 'NONE') {
    report.error(['spec', 'ports', others], 'semantic/host', 'a port that is neither HTTP nor TLS cannot tell several hosts apart', {
      hint: 'Make one ServiceEntry a host',
    });
  }
  checkExportTo(spec.exportTo, resource.metadata.namespace, ['spec', 'exportTo'], report, { none: true });
}

function checkHosts(spec: ServiceEntry, resolution: string, report: Report): void {
  for (const [i, host] of spec.hosts.entries()) {
    const path = ['spec', 'hosts', i];
    if (host === '*')
      report.error(path, 'semantic/host', 'a ServiceEntry cannot be for the host `*`', { hint: 'Name a domain: `*.example.com`' });
    else if (!isWildcardHost(host)) report.error(path, 'semantic/host', notAHost(host), { hint: hostHint(host) });
    else if (isPartialWildcard(host) && resolution !== 'DYNAMIC_DNS')
      report.warning(path, 'semantic/host', `the wildcard of ${quote(host)} is no whole label`);
  }
}

function checkAddresses(spec: ServiceEntry, resolution: string, report: Report): void {
  for (const [i, address] of (spec.addresses ?? []).entries()) {
    const path = ['spec', 'addresses', i];
    if (!isSubnet(address)) report.error(path, 'semantic/address', `${quote(address)} is neither an IP address nor a CIDR`);
    else if (address.includes('/') && resolution !== 'NONE' && resolution !== 'STATIC') {
      report.error(path, 'semantic/address', `a CIDR needs resolution NONE or STATIC, not ${resolution}`);
    }
  }
}

function checkPorts(spec: ServiceEntry, resource: Resource, resolution: string, report: Report): void {
  const allocates = resolution !== 'NONE' && resource.metadata.labels['networking.istio.io/enable-autoallocate-ip'] !== 'false';
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    const path = ['spec', 'ports', i];
    const { name, number, protocol } = port;
    if (names.has(name)) report.error([...path, 'name'], 'semantic/duplicate-name', `the port name ${quote(name)} is there twice`);
    if (numbers.has(number)) report.error([...path, 'number'], 'semantic/duplicate-port', `the port ${number} is there twice`);
    names.add(name);
    numbers.add(number);
    if (!isDnsLabel(name)) report.error([...path, 'name'], 'semantic/name', `${quote(name)} is no name of a port`);
    if (protocol && protocolClass(protocol) === 'unknown') {
      report.error([...path, 'protocol'], 'semantic/port', `${quote(protocol)} is no protocol`, {
        hint: 'Protocols are HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP and TLS',
      });
    }
    if ((spec.addresses ?? []).length === 0 && (!protocol || protocol === 'TCP') && !allocates) {
      report.warning(path, 'semantic/address', `TCP port ${number} without \`addresses\` takes all traffic to that port`, {
        hint: 'Add `addresses`, or say the protocol',
      });
    }
  }
}

function checkNone(spec: ServiceEntry, report: Report): void {
  if ((spec.endpoints ?? []).length > 0) {
    report.error(
      ['spec', 'endpoints'],
      'semantic/resolution',
      'resolution NONE goes to the address that was asked for; `endpoints` cannot be set',
      { atKey: true, hint: 'Use `resolution: STATIC` or `DNS`' },
    );
  }
  if (spec.workloadSelector) {
    report.warning(['spec', 'workloadSelector'], 'semantic/resolution', 'resolution NONE does not use `workloadSelector`', {
      atKey: true,
      hint: 'Use `resolution: STATIC`',
    });
  }
}

function checkEndpointPorts(spec: ServiceEntry, report: Report): void {
  const defined = new Set((spec.ports ?? []).map((port) => port.name));
  for (const [i, endpoint] of (spec.endpoints ?? []).entries()) {
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (defined.has(name)) continue;
      report.error(['spec', 'endpoints', i, 'ports', name], 'semantic/port', `the ServiceEntry has no port ${quote(name)}`, {
        atKey: true,
      });
    }
  }
}

function checkStatic(spec: ServiceEntry, report: Report): void {
  for (const [i, endpoint] of (spec.endpoints ?? []).entries()) {
    const path = ['spec', 'endpoints', i];
    checkEndpoint(endpoint, path, { names: false }, report);
    if (endpoint.address?.startsWith('unix://') && (spec.ports ?? []).length !== 1) {
      report.error([...path, 'address'], 'semantic/port', 'a unix socket is possible with exactly one port');
    }
  }
  checkEndpointPorts(spec, report);
}

function checkDns(spec: ServiceEntry, resolution: string, report: Report): void {
  const endpoints = spec.endpoints ?? [];
  if (endpoints.length === 0) {
    const wild = spec.hosts.findIndex((host) => isWildcardHost(host) && host !== '*' && !isFqdn(host));
    if (wild !== -1) {
      const hint = 'Add `endpoints`, or use `resolution: DYNAMIC_DNS` or `NONE`';
      report.error(['spec', 'hosts', wild], 'semantic/resolution', `${quote(spec.hosts[wild]!)} cannot be looked up by DNS`, { hint });
    }
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    report.error(['spec', 'endpoints'], 'semantic/resolution', 'DNS_ROUND_ROBIN has at most one endpoint', { atKey: true });
  }
  for (const [i, { address, labels }] of endpoints.entries()) {
    const path = ['spec', 'endpoints', i];
    if (!address || (!isIpAddress(address) && !isFqdn(address))) {
      report.error([...path, 'address'], 'semantic/address', `an endpoint needs an IP address or a host name, not ${quote(address ?? '')}`);
    }
    checkLabels(labels, [...path, 'labels'], report);
  }
  checkEndpointPorts(spec, report);
  const tcp = (spec.ports ?? []).some(
    ({ protocol }) => ['tls', 'other'].includes(protocolClass(protocol)) && protocol?.toLowerCase() !== 'udp',
  );
  if ((spec.addresses ?? []).length > 0 && tcp && spec.hosts.length > 1) {
    report.warning(['spec', 'addresses'], 'semantic/address', 'several hosts with the same `addresses`: TCP ports cannot tell them apart', {
      atKey: true,
    });
  }
}

const DYNAMIC_PROTOCOLS = new Set(['http', 'http2', 'grpc', 'tls', 'grpc-web', 'http_proxy']);

function checkDynamicDns(spec: ServiceEntry, resource: Resource, report: Report): void {
  for (const [i, host] of spec.hosts.entries()) {
    if (!host.includes('*'))
      report.error(['spec', 'hosts', i], 'semantic/resolution', 'DYNAMIC_DNS is for wildcard hosts', { hint: 'Use `resolution: DNS`' });
  }
  for (const field of ['addresses', 'endpoints'] as const) {
    if ((spec[field] ?? []).length > 0)
      report.error(['spec', field], 'semantic/resolution', `DYNAMIC_DNS has no \`${field}\``, { atKey: true });
  }
  for (const [i, { protocol }] of (spec.ports ?? []).entries()) {
    if (DYNAMIC_PROTOCOLS.has((protocol ?? '').toLowerCase())) continue;
    report.error(
      ['spec', 'ports', i, 'protocol'],
      'semantic/resolution',
      `DYNAMIC_DNS needs the name that clients ask for, which ${protocol || 'TCP'} does not tell`,
      { hint: 'Use HTTP, HTTP2, GRPC or TLS' },
    );
  }
  const waypoint = resource.metadata.labels['istio.io/use-waypoint'];
  if (spec.location === 'MESH_INTERNAL' && waypoint && waypoint !== 'none')
    report.error(RESOLUTION, 'semantic/resolution', 'DYNAMIC_DNS inside the mesh cannot use a waypoint');
}
