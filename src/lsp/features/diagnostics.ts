import { type Diagnostic, DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver';
import type { Finding } from '../../analysis/finding.ts';
import { rangeAt, type View } from '../view.ts';

/** What a diagnostic carries for code actions, which editors hand back as it is. */
export interface DiagnosticData {
  readonly fingerprint: string;
  readonly hint?: string;
}

const SEVERITIES = { Error: DiagnosticSeverity.Error, Warning: DiagnosticSeverity.Warning, Info: DiagnosticSeverity.Information } as const;

/** What has no effect, and is shown faded: routes that are never reached, matches that never hold, policies and patches for nothing. */
export const UNNECESSARY: ReadonlySet<string> = new Set([
  ...['IST0130', 'IST0131', 'FL0005', 'FL0101', 'FL0102', 'FL0109', 'FL0303', 'FL0501'],
]);

/** Fields and annotations that are on their way out, and are shown struck through. */
export const DEPRECATED: ReadonlySet<string> = new Set(['IST0002', 'IST0135', 'FL0006']);

/**
 * The diagnostics of findings, by file. Findings without a place are left out.
 * @param documentation where a code is explained, as an absolute URL
 */
export function diagnosticsOf(
  findings: readonly Finding[],
  view: View,
  documentation: (finding: Finding) => string | undefined,
): Map<string, Diagnostic[]> {
  const byFile = new Map<string, Diagnostic[]>();
  for (const finding of findings) {
    const { position } = finding;
    if (position === undefined) continue;
    const list = byFile.get(position.file);
    const diagnostic = diagnosticOf(finding, view, documentation(finding));
    if (list === undefined) byFile.set(position.file, [diagnostic]);
    else list.push(diagnostic);
  }
  return byFile;
}

function diagnosticOf(finding: Finding, view: View, href: string | undefined): Diagnostic {
  const { code, level, message, hint, position, related, fingerprint } = finding;
  const tags = [
    ...(UNNECESSARY.has(code) ? [DiagnosticTag.Unnecessary] : []),
    ...(DEPRECATED.has(code) || (code === 'IST0133' && / is deprecated/.test(message)) ? [DiagnosticTag.Deprecated] : []),
  ];
  const data: DiagnosticData = { fingerprint, ...(hint === undefined ? {} : { hint }) };
  return {
    range: rangeAt(view, position!),
    severity: SEVERITIES[level],
    code,
    ...(href === undefined ? {} : { codeDescription: { href } }),
    source: 'fairlead',
    message: hint === undefined ? message : `${message}\n${hint}`,
    ...(tags.length > 0 ? { tags } : {}),
    ...(related.length > 0
      ? {
          relatedInformation: related.map((place) => ({
            location: { uri: view.uriOf(place.position.file), range: rangeAt(view, place.position) },
            message: `${place.origin}: ${place.note}`,
          })),
        }
      : {}),
    data,
  };
}
