import type { Finding } from '../../analysis/finding.ts';
import { formatPosition } from '../../config/resource.ts';

/** What `--fix` did, or would do: one line each. */
export function formatFixes(
  fixed: readonly Finding[],
  left: readonly { readonly finding: Finding; readonly why: string }[],
  { files, dryRun }: { files: readonly string[]; dryRun: boolean },
): string {
  const place = ({ position, origin }: Finding): string => (position === undefined ? origin : formatPosition(position));
  const lines = fixed.map((finding) => `${place(finding)}: ${finding.code}: ${finding.fix?.title ?? ''}`);
  for (const { finding, why } of left) lines.push(`${place(finding)}: ${finding.code}: left as it is: ${why}`);
  const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
  const what =
    fixed.length === 0
      ? 'nothing to fix'
      : `${count(fixed.length, 'finding')} ${dryRun ? 'would be fixed' : 'fixed'} in ${count(files.length, 'file')}`;
  return `${[...lines, what].join('\n')}\n`;
}
