import type { Deployment } from '../../config/kinds/kubernetes.ts';
import type { Analyzer } from '../analyzer.ts';
import { fullName } from '../model/hosts.ts';

const VARIABLE = 'BLOCKED_CIDRS_IN_JWKS_URIS';

/** A control plane that fetches keys from wherever a RequestAuthentication says. */
export const jwksEgress: Analyzer = {
  name: 'jwks-egress',
  codes: ['IST0175'],
  run(model, report) {
    const policies = model.of('RequestAuthentication');
    if (policies.length === 0) return;
    const shown = policies
      .slice(0, 5)
      .map((policy) => fullName(policy.metadata))
      .join(', ');
    const names = policies.length > 5 ? `${shown} and ${policies.length - 5} more` : shown;
    for (const resource of model.of<Deployment>('Deployment')) {
      if (resource.metadata.labels['app'] !== 'istiod') continue;
      const containers = resource.spec.template?.spec?.containers ?? [];
      if (containers.some(({ env = [] }) => env.some(({ name, value }) => name === VARIABLE && (value ?? '') !== ''))) continue;
      const at = ['spec', 'template', 'spec', 'containers', 0, 'env'];
      report('IST0175', resource, at, { count: policies.length, names }, { atKey: true });
    }
  },
};
