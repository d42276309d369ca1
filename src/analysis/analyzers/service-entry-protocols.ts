import type { ServiceEntry } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { joinNames, MAX_RELATED } from '../model/bounds.ts';
import { exportScopes, fullName } from '../model/hosts.ts';

interface Claim {
  readonly resource: Resource<ServiceEntry>;
  readonly protocol: string;
  readonly at: FieldPath;
}

/** ServiceEntries that disagree about the protocol of one host and port. */
export const serviceEntryProtocols: Analyzer = {
  name: 'service-entry-protocols',
  codes: ['IST0177'],
  run(model, report) {
    const claims = new Map<string, Claim[]>();
    for (const resource of model.of<ServiceEntry>('ServiceEntry')) {
      const { hosts, ports = [], exportTo } = resource.spec;
      for (const scope of exportScopes(exportTo, resource.metadata.namespace)) {
        for (const host of hosts) {
          for (const [i, { number, protocol }] of ports.entries()) {
            const key = `${scope} ${host} ${number}`;
            const claim: Claim = { resource, protocol: (protocol ?? '').toUpperCase(), at: ['spec', 'ports', i, 'protocol'] };
            const list = claims.get(key);
            if (list === undefined) claims.set(key, [claim]);
            else list.push(claim);
          }
        }
      }
    }
    const done = new Set<Resource>();
    for (const [key, own] of claims) {
      const [scope, host, port] = key.split(' ') as [string, string, string];
      const group = scope === '*' ? own : [...own, ...(claims.get(`* ${host} ${port}`) ?? [])];
      const protocols = [...new Set(group.map((claim) => claim.protocol))].sort();
      if (protocols.length < 2) continue;
      const names = joinNames([...new Set(group.map(({ resource }) => fullName(resource.metadata)))].sort(), ', ');
      const shown = protocols.flatMap((protocol) => group.filter((claim) => claim.protocol === protocol).slice(0, MAX_RELATED));
      for (const { resource, at, protocol } of group) {
        if (done.has(resource)) continue;
        done.add(resource);
        const related = shown
          .filter((claim) => claim.resource !== resource && claim.protocol !== protocol)
          .slice(0, MAX_RELATED)
          .map((claim) => ({ resource: claim.resource, at: claim.at, note: `${claim.protocol || 'no protocol'} is said here` }));
        report(
          'IST0177',
          resource,
          at,
          { serviceEntryNames: names, host, port: Number(port), protocols: protocols.join(', ') },
          { related },
        );
      }
    }
  },
};
