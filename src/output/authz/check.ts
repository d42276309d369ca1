import type { PolicyInWords, WorkloadPolicies } from '../../authz/types.ts';
import { type Row, sheet } from '../describe/sheet.ts';
import type { Canvas } from '../explain/paint.ts';

const LEADS: Readonly<Record<string, string>> = {
  ALLOW: 'allows',
  DENY: 'denies',
  AUDIT: 'notes for the audit',
  CUSTOM: 'asks about',
};

function policyRows({ action, name, namespace, dryRun, provider, rules, origin }: PolicyInWords): Row[] {
  const dry = dryRun ? ', dry run: it only says what it would do' : '';
  const whom = provider === undefined ? '' : ` ${provider}`;
  const head: Row = {
    word: action,
    text: `AuthorizationPolicy ${namespace}/${name}${whom}${dry}`,
    origin,
    placeOnly: true,
    style: dryRun ? 'dim' : undefined,
  };
  if (rules.length === 0)
    return [
      head,
      { level: 1, text: action === 'ALLOW' ? 'has no rules: it allows nothing' : 'has no rules: it never matches', style: 'yellow' },
    ];
  return [
    head,
    ...rules.flatMap((rule, i): Row[] => [
      rule.leftOut === undefined
        ? { level: 1, word: `rule ${i + 1}`, text: `${LEADS[action] ?? action} ${rule.what}`, origin: rule.origin, placeOnly: true }
        : { level: 1, word: `rule ${i + 1}`, text: `is left out: ${rule.leftOut}`, origin: rule.origin, placeOnly: true, style: 'yellow' },
      ...(rule.leftOut === undefined ? [{ level: 1, word: 'to', text: rule.who } satisfies Row] : []),
    ]),
  ].map((row) => (row.word === 'to' ? { ...row, word: action === 'ALLOW' ? 'to' : 'of' } : row));
}

/** The policies on workloads, one sheet each. */
export function policiesText(all: readonly WorkloadPolicies[], canvas: Canvas): string {
  if (all.length === 0) return 'no workload here is under a policy\n';
  return all
    .map((w) => {
      const ports = w.ports.map(
        ({ port, protocol, guarded, mtls }): Row => ({
          word: String(port),
          text: guarded
            ? `${protocol}, mutual TLS ${mtls.mode}`
            : `${protocol}, not guarded: calls go straight to the workload, no policy is enforced`,
          origin: guarded ? mtls.origin : undefined,
          style: guarded ? undefined : 'yellow',
        }),
      );
      const tokens = w.tokens.map(
        (t): Row => ({
          word: 'JWT',
          text: `${t.issuer}${t.audiences.length > 0 ? `, for ${t.audiences.join(' or ')}` : ''}: a token of it has to be good; who has none passes here`,
          origin: t.origin,
        }),
      );
      const otherwise: Row = {
        text: w.otherwise === 'denied' ? 'what no rule allows is denied' : 'what no rule denies is allowed',
        style: 'bold',
      };
      return sheet(
        { text: `${w.workload}  ${w.identity}` },
        [
          { title: 'ports', rows: ports },
          { title: 'tokens', rows: tokens },
          { title: 'policies', rows: [...w.policies.flatMap(policyRows), otherwise] },
        ],
        canvas,
      );
    })
    .join('\n');
}
