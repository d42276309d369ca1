import { stringify } from 'yaml';
import type { RecordedTest } from '../../explain/test/record.ts';

/** A file of recorded tests, as people would write it. */
export function recordedText(tests: readonly RecordedTest[]): string {
  // YAML 1.1 readers, ours among them, take `yes`, `on` and 0777 for something else than text.
  const body = stringify({ tests }, { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' });
  return `# What \`fairlead explain\` said when this was recorded. Keep what is meant, and delete what only happens to be so.\n${body}`;
}
