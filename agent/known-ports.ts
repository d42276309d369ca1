/** Which ports a service has: for the command that `up` proposes, and for requests to a port that a service does not have. */
import { DYNAMIC_DNS_CLUSTER } from '../src/envoy/names.ts';
import { isHttpOrDetected } from '../src/envoy/protocols.ts';
import { isWildcard } from '../src/mesh/host-match.ts';
import type { Mesh, ProxyNode, Service } from '../src/mesh/types.ts';
import type { RequestRecord } from '../src/telemetry/request-record.ts';

/** A URL that some service answers to when `proxy` is asked for it, as `http://reviews:9080/`; undefined when no service speaks HTTP. */
export function exampleUrl(mesh: Mesh, proxy: Pick<ProxyNode, 'namespace'>): string | undefined {
  const ranked = mesh.services
    .filter((s) => !isWildcard(s.host))
    .flatMap((service) => service.ports.filter((p) => isHttpOrDetected(p.protocol)).map((port) => ({ service, port })))
    .map((one) => ({
      ...one,
      rank: (mesh.endpoints(one.service, one.port).length > 0 ? 2 : 0) + (one.service.namespace === proxy.namespace ? 1 : 0),
    }))
    .sort((a, b) => b.rank - a.rank);
  const [best] = ranked;
  if (best === undefined) return undefined;
  const { service, port } = best;
  return `http://${shortName(service, proxy.namespace)}${port.number === 80 ? '' : `:${port.number}`}/`;
}

/** `reviews has port 9080, not 80` for a request that was sent into the DNS because its service has no such port; else undefined. */
export function wrongPort(
  mesh: Mesh,
  record: Pick<RequestRecord, 'upstreamCluster' | 'flags' | 'authority' | 'proxy'>,
): string | undefined {
  if (record.upstreamCluster !== DYNAMIC_DNS_CLUSTER || !record.flags.split(',').includes('DF')) return undefined;
  const [, name = '', asked = '80'] = /^([^:]+)(?::(\d+))?$/.exec(record.authority.toLowerCase()) ?? [];
  const namespace = record.proxy.slice(record.proxy.lastIndexOf('.') + 1);
  const suffix = `.svc.${mesh.config.domain}`;
  const hosts = [name, `${name}.${namespace}${suffix}`, `${name}${suffix}`, `${name}.${mesh.config.domain}`];
  const service = mesh.services.find((s) => hosts.includes(s.host));
  if (service === undefined || service.ports.some((p) => p.number === Number(asked))) return undefined;
  const ports = [...new Set(service.ports.map((p) => p.number))].sort((a, b) => a - b);
  if (ports.length === 0) return undefined;
  return `${name} has ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}, not ${asked}`;
}

/** As a client in `namespace` would write it. */
function shortName(service: Service, namespace: string): string {
  const [, name, its] = /^([^.]+)\.([^.]+)\.svc\./.exec(service.host) ?? [];
  if (name === undefined) return service.host;
  return its === namespace ? name : `${name}.${its}`;
}
