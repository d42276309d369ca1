import type { Gateway, Server } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import { fullName } from '../model/hosts.ts';
import { selectorText } from '../model/selector.ts';
import { suffixSearch } from '../model/suffix-search.ts';

/** Gateways that let through in plain text what they serve over TLS, and hosts and credentials that several share. */
export const gatewaySecurity: Analyzer = {
  name: 'fl-gateway-security',
  codes: ['FL0401', 'FL0402', 'FL0403'],
  run(model, report) {
    const servers = model.of<Gateway>('Gateway').flatMap(placedServers);
    for (const group of Map.groupBy(servers, ({ selector }) => selector).values()) {
      checkPlain(group, report);
      checkWildcards(group, report);
    }
    checkCredentials(servers, report);
  },
};

interface PlacedServer {
  readonly resource: Resource<Gateway>;
  readonly at: FieldPath;
  readonly server: Server;
  readonly selector: string;
  readonly hosts: readonly string[];
}

function placedServers(resource: Resource<Gateway>): PlacedServer[] {
  const selector = selectorText(resource.spec.selector);
  return (resource.spec.servers ?? []).map((server, i) => {
    const hosts = server.hosts.map((host) => host.slice(host.indexOf('/') + 1).toLowerCase());
    return { resource, at: ['spec', 'servers', i], server, selector, hosts };
  });
}

const PLAIN = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB']);
const isPlain = ({ server }: PlacedServer): boolean => PLAIN.has(server.port.protocol.toUpperCase());
const terminates = ({ server }: PlacedServer): boolean => ['SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL'].includes(server.tls?.mode ?? '');

function checkPlain(group: readonly PlacedServer[], report: ReportFinding): void {
  const secure = new Map<string, PlacedServer>();
  for (const one of group) if (terminates(one)) for (const host of one.hosts) if (!secure.has(host)) secure.set(host, one);
  const search = secure.size === 0 ? undefined : suffixSearch([...secure.keys()]);
  for (const one of group) {
    const { resource, at, server } = one;
    if (!isPlain(one)) continue;
    if (server.port.number === 443) {
      report('FL0401', resource, [...at, 'port', 'protocol'], { host: one.hosts, why: 'port 443 speaks plain HTTP' });
      continue;
    }
    if (server.tls?.httpsRedirect) continue;
    for (const [i, host] of one.hosts.entries()) {
      const other = search?.overlapping(host)[0];
      if (other === undefined) continue;
      const { resource: by, at: place } = secure.get(other)!;
      const related = [{ resource: by, at: [...place, 'hosts'], note: 'it is served over TLS here' }];
      report(
        'FL0401',
        resource,
        [...at, 'hosts', i],
        { host: [host], why: 'it is served over TLS as well, and not redirected there' },
        { related },
      );
    }
  }
}

function checkWildcards(group: readonly PlacedServer[], report: ReportFinding): void {
  const wide = new Map<string, PlacedServer>();
  const secure = group.filter(terminates);
  for (const one of secure) for (const host of one.hosts) if (host.startsWith('*.')) wide.set(`${one.server.port.number} ${host}`, one);
  if (wide.size === 0) return;
  for (const { resource, at, server, hosts } of secure) {
    for (const [i, host] of hosts.entries()) {
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const other = wide.get(`${server.port.number} *${host.slice(dot)}`);
        if (other === undefined || other.resource === resource || host === `*${host.slice(dot)}`) continue;
        const related = [{ resource: other.resource, at: [...other.at, 'hosts'], note: 'this wildcard has it in it' }];
        report(
          'FL0402',
          resource,
          [...at, 'hosts', i],
          { host, wildcard: `*${host.slice(dot)}`, gateway: fullName(other.resource.metadata) },
          { related },
        );
        break;
      }
    }
  }
}

/** A Secret by name is looked up in the namespace of the gateway's proxies: other proxies read another Secret of that name, or the same. */
function checkCredentials(servers: readonly PlacedServer[], report: ReportFinding): void {
  const byName = new Map<string, PlacedServer[]>();
  for (const one of servers) {
    const { credentialName, credentialNames = [] } = one.server.tls ?? {};
    for (const name of credentialName ? [credentialName] : credentialNames)
      byName.set(name, [...(byName.get(name) ?? []), one].slice(0, 50));
  }
  for (const [credential, users] of byName) {
    const first = users[0]!;
    const other = users.find(
      ({ resource }) => resource.metadata.namespace !== first.resource.metadata.namespace && selectorOverlaps(first, resource),
    );
    if (other === undefined) continue;
    const related = [{ resource: first.resource, at: [...first.at, 'tls'], note: 'the same credential is here' }];
    const field = other.server.tls?.credentialName ? ['credentialName'] : ['credentialNames'];
    report(
      'FL0403',
      other.resource,
      [...other.at, 'tls', ...field],
      { credential, gateway: fullName(first.resource.metadata) },
      { related },
    );
  }
}

/** The proxies are the same ones. */
const selectorOverlaps = ({ selector }: PlacedServer, { spec }: Resource<Gateway>): boolean => selectorText(spec.selector) === selector;
