import type { Gateway, Server } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { isSubset } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import { firstOthers } from '../model/bounds.ts';
import { fullName } from '../model/hosts.ts';
import { selectorText } from '../model/selector.ts';

interface Use {
  readonly resource: Resource<Gateway>;
  readonly at: FieldPath;
}

/** Several Gateways on the same workloads with the same certificate: browsers reuse connections, and get 404 for the other's hosts. */
export const gatewayCertificates: Analyzer = {
  name: 'gateway-certificates',
  codes: ['IST0138'],
  run(model, report) {
    /** By certificate, then by selector. */
    const uses = new Map<string, Map<string, Use[]>>();
    for (const resource of model.of<Gateway>('Gateway')) {
      const own = new Set<string>();
      for (const [i, server] of (resource.spec.servers ?? []).entries()) {
        const certificate = certificateOf(server);
        if (certificate === undefined || own.has(certificate)) continue;
        own.add(certificate);
        const bySelector = uses.get(certificate) ?? new Map<string, Use[]>();
        uses.set(certificate, bySelector);
        const selector = selectorText(resource.spec.selector);
        bySelector.set(selector, [...(bySelector.get(selector) ?? []), { resource, at: ['spec', 'servers', i, 'tls'] }]);
      }
    }
    for (const bySelector of uses.values()) {
      for (const group of bySelector.values()) {
        const selector = group[0]!.resource.spec.selector ?? {};
        const matching = [...bySelector.values()].filter((other) => isSubset(selector, other[0]!.resource.spec.selector ?? {})).flat();
        if (matching.length < 2) continue;
        for (const use of group) {
          // Ten tell what is wrong; hundreds with one wildcard certificate would make hundreds of names each.
          const others = firstOthers(matching, use);
          const related = others.map((other) => ({ ...other, note: 'the same certificate is used here' }));
          const gateways = [use, ...others].map(({ resource }) => fullName(resource.metadata));
          report('IST0138', use.resource, use.at, { gateways }, { related, atKey: true });
        }
      }
    }
  },
};

function certificateOf({ tls }: Server): string | undefined {
  if (tls === undefined) return undefined;
  if (tls.credentialName) return `credential ${tls.credentialName}`;
  return tls.serverCertificate && tls.privateKey ? `files ${tls.serverCertificate} ${tls.privateKey}` : undefined;
}
