/**
 * Writes docs/fidelity.md: what of Istio's API is acted on, reported and refused, from the lists that the code goes by.
 *
 *   node scripts/fidelity-docs.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when the file is not what it should be. The paragraphs are in fidelity.head.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UNSUPPORTED, type UnsupportedEntry } from '../src/envoy/unsupported.ts';
import { markdownTable } from './markdown-table.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `http[].fault.delay.exponentialDelay`; a map's key is `<name>`. */
function fieldOf({ path = [], values, name }: UnsupportedEntry): string {
  let field = '';
  for (const [i, key] of path.entries()) {
    if (i === 0 && key === 'spec') continue;
    if (key === '*') field += path[i - 1] === 'portLevelMtls' ? '.<port>' : '[]';
    else field += key.includes('.') ? `["${key}"]` : `${field === '' ? '' : '.'}${key}`;
  }
  const which = values ? ` ${values.join(', ')}` : '';
  return field === '' ? 'all of it' : `\`${field}\`${which}${name ? ` (of \`${name}\`)` : ''}`;
}

function entries(severity: UnsupportedEntry['severity']): string[][] {
  return UNSUPPORTED.filter((e) => e.severity === severity).map((e) => [
    e.group === undefined ? e.kind : `${e.kind} of the Gateway API`,
    fieldOf(e),
    e.harmless ? `${e.reason} (${e.harmless.reason}: a warning)` : e.reason,
  ]);
}

const head = readFileSync(join(root, 'scripts/fidelity.head.md'), 'utf8').trimEnd();
const text = `${head}

## Refused
These make \`up\` and \`agent run\` refuse the configuration, because ignoring them would open what somebody meant to close, or do what
nobody asked for. \`--allow-unenforced\` runs without them and says so each time.

${markdownTable(['kind', 'field', 'why'], entries('error'))}

## Reported
Traffic flows, but not wholly as written. Each use is reported with its line.

${markdownTable(['kind', 'field', 'what happens'], entries('warning'))}

Fields of Envoy's configuration that the embedded proxy refuses are in [engines.md](engines.md).
`;

const file = join(root, 'docs/fidelity.md');
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/fidelity.md does not match the lists in the code; run: node scripts/fidelity-docs.ts');
  process.exitCode = 1;
}
