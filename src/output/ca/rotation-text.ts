import { relativeTime } from '../certificates/certificate-view.ts';
import { formatTable } from '../table.ts';

/** The part of agent/ca's RotationStatus that is shown. */
export interface ShownRotation {
  next: string;
  authority: string | undefined;
  sequence: number;
  waitsFor: string;
  behind: readonly { identity: string; notAfter: string; authority: string; sequence: number; serial: string }[];
  clearBy: string | undefined;
}

export function rotationText({ next, authority, sequence, waitsFor, behind, clearBy }: ShownRotation, now: Date): string {
  if (next === 'prepare') return `no rotation goes on; trust bundle ${sequence}`;
  const head = `next: ${next}${authority ? ` ${authority}` : ''}; it waits for ${waitsFor}; trust bundle ${sequence}`;
  if (next === 'install') return head;
  if (behind.length === 0) return `${head}\nnobody is behind: it may go on`;
  const left = (notAfter: string): string => relativeTime(Math.floor((Date.parse(notAfter) - now.getTime()) / 1000));
  const rows = behind.map((h) => [h.identity, h.authority, String(h.sequence), left(h.notAfter), h.serial]);
  const table = formatTable({ columns: ['BEHIND', 'AUTHORITY', 'BUNDLE', 'EXPIRES', 'SERIAL'], rows });
  return `${head}\n\n${table}\n${behind.length} behind; clear ${left(clearBy ?? '')} at the latest`;
}

/** The part of agent/ca's Rotated that is shown. */
export interface ShownStep {
  step: string;
  authority: string;
  sequence: number;
  passedOver: readonly unknown[];
}

/** What a step did. */
export function rotatedText({ step, authority, sequence, passedOver }: ShownStep): string {
  const what: Readonly<Record<string, string>> = {
    prepare: `prepared ${authority}: its root is in trust bundle ${sequence}, and it does not sign yet`,
    activate: `activated ${authority}: it signs from now on`,
    taint: `tainted ${authority}: whoever has a certificate of it renews now`,
    revoke: `revoked ${authority}: its keys are deleted; trust bundle ${sequence}`,
  };
  return `${what[step]}${passedOver.length > 0 ? `\n${passedOver.length} certificates were passed over` : ''}`;
}
