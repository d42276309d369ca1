import type { Secret } from '../../config/kinds/kubernetes.ts';
import type { Gateway } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { fullName } from '../model/hosts.ts';

/** Certificates of Gateways: that their Secret is there and usable. */
export const gatewayCredentials: Analyzer = {
  name: 'gateway-credentials',
  codes: ['IST0101', 'IST0161'],
  run(model, report) {
    const { given } = model;
    if (!given.secrets && !given.pods) return;
    for (const resource of model.of<Gateway>('Gateway')) {
      const { selector = {}, servers = [] } = resource.spec;
      const workloads = model.workloadSearch.select(selector);
      if (workloads.length === 0) continue;
      for (const [i, { tls }] of servers.entries()) {
        const name = tls?.credentialName;
        // `kubernetes://`, `configmap://`, `builtin://`, `sds://`: not a Secret of this namespace.
        if (!name || name.includes('://')) continue;
        const at = ['spec', 'servers', i, 'tls', 'credentialName'];
        const slash = name.indexOf('/');
        const namespaces = slash === -1 ? workloads.map((workload) => workload.namespace) : [name.slice(0, slash)];
        const found = namespaces.map((namespace) => model.find('Secret', namespace, name.slice(slash + 1))).find((s) => s !== undefined);
        if (found === undefined) report('IST0101', resource, at, { reftype: 'credentialName', refval: name });
        else if (!isUsable(found as Resource<Secret>, model.now)) {
          report(
            'IST0161',
            resource,
            at,
            { gatewayName: resource.metadata.name, gatewayNamespace: workloads[0]!.namespace },
            { related: [{ resource: found, at: ['metadata', 'name'], note: `Secret ${fullName(found.metadata)} is here` }] },
          );
        }
      }
    }
  },
};

/** Certificate and key are there, and the certificate can be read and is valid now. */
function isUsable({ spec }: Resource<Secret>, now: number): boolean {
  const textOf = (key: string): string => {
    const text = spec.stringData?.[key];
    if (typeof text === 'string') return text;
    const encoded = spec.data?.[key];
    return typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : '';
  };
  const [certificate, key] =
    textOf('cert') !== '' && textOf('key') !== '' ? [textOf('cert'), textOf('key')] : [textOf('tls.crt'), textOf('tls.key')];
  if (certificate === '' || key === '') return false;
  try {
    const { X509Certificate } = process.getBuiltinModule('node:crypto');
    const { validFromDate, validToDate } = new X509Certificate(certificate);
    return validFromDate.getTime() <= now && now <= validToDate.getTime();
  } catch {
    return false;
  }
}
