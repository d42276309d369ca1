import type { Finding } from './finding.ts';

/** Findings that are known and not shown again. */
export interface Baseline {
  readonly fingerprints: ReadonlySet<string>;
}

/** A baseline file: JSON that people can read in a diff; only the fingerprints count. */
export function writeBaseline(findings: readonly Finding[]): string {
  const entries = findings
    .map(({ fingerprint, code, origin, path }) => ({ fingerprint, code, origin, path }))
    .sort((a, b) => (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : a.fingerprint < b.fingerprint ? -1 : 1));
  return `${JSON.stringify({ version: 1, findings: entries }, null, 2)}\n`;
}

/** Reads one; undefined when the text is none. */
export function readBaseline(text: string): Baseline | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { version, findings } = (value ?? {}) as { version?: unknown; findings?: unknown };
  if (version !== 1 || !Array.isArray(findings)) return undefined;
  const fingerprints = findings.map((finding) => (finding as { fingerprint?: unknown } | null)?.fingerprint);
  if (!fingerprints.every((fingerprint) => typeof fingerprint === 'string')) return undefined;
  return { fingerprints: new Set(fingerprints as string[]) };
}
