import type { Finding } from '../../analysis/finding.ts';
import { formatPosition } from '../../config/resource.ts';
import { jsonList } from '../json-list.ts';
import type { FindingsReport } from './report.ts';

/** A finding as istioctl's JSON has it, and where it is exactly. */
export interface FindingJson {
  code: string;
  level: string;
  message: string;
  /** `VirtualService default/payments`. */
  origin: string;
  /** `file:line`; empty without a position. */
  reference: string;
  documentationUrl: string;
  name: string;
  file?: string;
  line?: number;
  column?: number;
  path?: string;
  hint?: string;
  args: Finding['args'];
  fingerprint: string;
  related: { origin: string; note: string; reference: string; file: string; line: number; column: number; path: string }[];
}

/** A list of them. */
export function* findingsJson({ findings }: FindingsReport): Generator<string, void> {
  yield* jsonList(findings, findingJson, '');
  yield '\n';
}

/** The fields of a finding for programs, under names that stay. */
export function findingJson(finding: Finding): FindingJson {
  const { code, name, level, message, origin, position, path, hint, args, fingerprint, related, documentationUrl } = finding;
  return {
    code,
    level,
    message,
    origin,
    reference: position === undefined ? '' : position.line === 0 ? position.file : `${position.file}:${position.line}`,
    documentationUrl,
    name,
    ...(position === undefined
      ? {}
      : { file: position.file, ...(position.line === 0 ? {} : { line: position.line, column: position.column }) }),
    ...(path === '' ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
    args,
    fingerprint,
    related: related.map((place) => ({
      origin: place.origin,
      note: place.note,
      reference: formatPosition(place.position).replace(/:\d+$/, ''),
      ...place.position,
      path: place.path,
    })),
  };
}
