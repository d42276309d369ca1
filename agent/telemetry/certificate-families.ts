/** Metrics of the workloads' certificates. */
import { labelText } from '../../src/telemetry/metrics/exposition.ts';
import type { Family } from '../../src/telemetry/metrics/family.ts';
import type { IdentityStatus } from '../identity/identity-status.ts';

type Certificate = IdentityStatus['certificates'][number];

/** Seconds to the expiry of each certificate (negative afterwards), and how renewals went. */
export function certificateFamilies(identity: () => IdentityStatus): Family[] {
  const family = (name: string, type: Family['type'], help: string, value: (c: Certificate) => number | undefined): Family => ({
    name: `fairlead_certificate_${name}`,
    type,
    help,
    *samples() {
      for (const certificate of identity().certificates) {
        const found = value(certificate);
        const labels = labelText({ identity: certificate.identity, proxies: certificate.proxies.join(',') });
        if (found !== undefined) yield { suffix: '', labels, value: found };
      }
    },
  });
  const left = ({ notAfter }: Certificate): number | undefined =>
    notAfter === undefined ? undefined : (Date.parse(notAfter) - Date.now()) / 1000;
  return [
    family('expiry_seconds', 'gauge', 'Seconds until a certificate expires; negative when it has.', left),
    family(
      'not_after_timestamp_seconds',
      'gauge',
      'When a certificate expires.',
      ({ notAfter }) => (notAfter && Date.parse(notAfter) / 1000) || undefined,
    ),
    family('renewals_total', 'counter', 'Certificates that were issued, the first included.', ({ renewals }) => renewals),
    family('failures_total', 'counter', 'Times that a certificate was asked for and not given.', ({ failures }) => failures),
    {
      name: 'fairlead_agent_secret_problems',
      type: 'gauge',
      help: 'Secrets that proxies ask for and that are missing, or older than their source.',
      *samples() {
        yield { suffix: '', labels: '', value: identity().problems.length };
      },
    },
  ];
}
