import { harmless } from '../source-excerpt.ts';
import { type CertificateView, relativeTime } from './certificate-view.ts';

/** Certificates one after the other, a line a fact; labels are aligned. */
export function certificateText(source: string, certificates: readonly CertificateView[]): string {
  const parts = certificates.map((view, i) => {
    const title = certificates.length === 1 ? source : `${source}, ${i + 1} of ${certificates.length}`;
    const rows = rowsOf(view).filter((row): row is [string, string] => row[1] !== undefined && row[1] !== '');
    return [title, ...rows.map(([label, value]) => `  ${label.padEnd(11)} ${harmless(value)}`)].join('\n');
  });
  return parts.join('\n\n');
}

function rowsOf(view: CertificateView): [string, string | undefined][] {
  const { secondsLeft, notBefore, notAfter } = view;
  const role = view.ca ? `certificate authority${view.pathLength === undefined ? '' : `, ${view.pathLength} below it at most`}` : undefined;
  return [
    ['identity', view.identity],
    ['subject', view.subject],
    ['issuer', view.issuer === view.subject && view.subject !== '' ? 'itself' : view.issuer],
    ['names', view.names.join(', ')],
    ['valid', `${notBefore} to ${notAfter}`],
    [secondsLeft < 0 ? 'EXPIRED' : 'expires', relativeTime(secondsLeft)],
    ['authority', role],
    ['for', view.purposes?.join(', ')],
    ['key', view.key],
    ['signature', view.signature],
    ['serial', view.serial],
    ['sha256', view.sha256],
  ];
}
