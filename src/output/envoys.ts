/** The Envoys on this machine as people read them. */
import { formatTable } from './table.ts';

export interface ShownEnvoy {
  version: string;
  path: string;
  sha256: string;
  /** Bytes. */
  size: number;
  /** True for the one that `up`, `demo` and `agent run` take. */
  taken: boolean;
}

/** One row an installed Envoy. `taken` names one that lies elsewhere and wins. */
export function envoyListText(list: readonly ShownEnvoy[], elsewhere: { path: string; why: string } | undefined): string {
  const lines =
    list.length === 0
      ? ['none is installed; `fairlead envoy install` gets one']
      : [
          formatTable({
            columns: ['VERSION', 'TAKEN', 'SIZE', 'SHA256', 'PATH'],
            rows: list.map((e) => [e.version, e.taken ? 'yes' : '', megabytes(e.size), e.sha256, e.path]),
          }).trimEnd(),
        ];
  if (elsewhere) lines.push('', `taken: ${elsewhere.path} (${elsewhere.why})`);
  return lines.join('\n');
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
