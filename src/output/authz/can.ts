import type { Permission } from '../../authz/types.ts';
import { policyText } from '../../explain/security/policy-of.ts';
import { type Row, sheet } from '../describe/sheet.ts';
import type { Canvas } from '../explain/paint.ts';

const STYLES = { yes: 'green', no: 'red', depends: 'yellow' } as const;

/** Yes or no, who says so, and what nearly allowed it. */
export function permissionText(p: Permission, canvas: Canvas): string {
  const who = p.client === '' ? 'nobody (no certificate)' : p.client;
  const facts: Row[] = [
    { word: 'client', text: `${who}, over ${p.connection}` },
    { word: 'asks', text: `${p.request} of ${p.workload} port ${p.port}` },
    ...(p.status === undefined ? [] : [{ word: 'gets', text: String(p.status) }]),
  ];
  const by = p.policies.map(
    (policy): Row => ({ word: policy.action, text: `${policy.kind} ${policyText(policy)}`, origin: policy.origin, placeOnly: true }),
  );
  const near = p.nearMisses.map((miss): Row => ({ text: miss.message, origin: miss.origin, placeOnly: true }));
  const notes = p.notes.map((text): Row => ({ text, style: 'yellow' }));
  return sheet(
    { text: `${p.answer}: ${p.why}`, style: STYLES[p.answer] },
    [
      { title: 'the request', rows: facts },
      { title: 'decided by', rows: by },
      { title: 'almost', rows: near },
      { title: 'also', rows: notes },
    ],
    canvas,
  );
}
