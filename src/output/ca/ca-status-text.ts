import { relativeTime } from '../certificates/certificate-view.ts';
import { formatTable } from '../table.ts';

/** The part of agent/ca's CaStatus that is shown. */
export interface ShownCaStatus {
  directory: string;
  trustDomain: string;
  sequence: number;
  roots: number;
  authorities: readonly ShownAuthority[];
}

export interface ShownAuthority {
  id: string;
  stage: string;
  root: ShownSpan | undefined;
  intermediate: ShownSpan | undefined;
  rootKey: string;
  encrypted: boolean;
}

interface ShownSpan {
  key: string;
  secondsLeft: number;
  notAfter: string;
}

export function caStatusText({ directory, trustDomain, sequence, roots, authorities }: ShownCaStatus): string {
  const rows = authorities.map(({ id, stage, root, intermediate, rootKey, encrypted }) => [
    id,
    stage.toUpperCase(),
    spanText(root),
    spanText(intermediate),
    (intermediate ?? root)?.key ?? '-',
    `${encrypted ? 'encrypted' : 'plain'}, root’s ${rootKey}`,
  ]);
  return [
    `trust domain ${trustDomain}, in ${directory}`,
    `trust bundle ${sequence}: ${roots} ${roots === 1 ? 'root' : 'roots'}`,
    '',
    formatTable({ columns: ['AUTHORITY', 'STAGE', 'ROOT', 'INTERMEDIATE', 'KEY', 'KEYS AT REST'], rows }),
  ].join('\n');
}

const spanText = (span: ShownSpan | undefined): string =>
  span === undefined ? '-' : `${span.secondsLeft < 0 ? 'EXPIRED' : 'expires'} ${relativeTime(span.secondsLeft)}`;
