/**
 * Writes docs/fidelity.md: what of Istio's API and of Envoy's is acted on, reported and refused, from the lists that the code goes by.
 *
 *   node scripts/fidelity-docs.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when the file is not what it should be. The paragraphs are in fidelity.head.md.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UNSUPPORTED, type UnsupportedEntry } from '../src/envoy/unsupported.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

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
    e.kind === '*' ? `every kind of ${e.group}` : e.kind,
    fieldOf(e),
    e.harmless ? `${e.reason} (${e.harmless.reason}: a warning)` : e.reason,
  ]);
}

/** `CLUSTER_FIELDS` is about Cluster, `HTTP1_FIELDS` about Http1. */
function messageOf(name: string): string {
  const words = name.replace(/_FIELDS$/, '').split('_');
  return words.map((w) => w.charAt(0) + w.slice(1).toLowerCase()).join('');
}

/** Rows of a table of fields: texts are reasons, objects are messages with tables of their own, everything else is acted on. */
function refusals(message: string, value: object): string[][] {
  return Object.entries(value).flatMap(([key, entry]: [string, unknown]) => {
    if (typeof entry === 'string') return [[message, `\`${key}\``, entry]];
    return typeof entry === 'object' && entry !== null ? refusals(key, entry) : [];
  });
}

async function envoyFields(): Promise<string[][]> {
  const files = ['src/routing/unsupported.ts', ...globSync('agent/proxy/**/unsupported.ts', { cwd: root }).sort()];
  const rows: string[][] = [];
  for (const file of files) {
    const lists = (await import(join(root, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(lists)) {
      if (typeof value === 'object' && value !== null) rows.push(...refusals(messageOf(name), value));
    }
  }
  return rows;
}

const head = readFileSync(join(root, 'scripts/fidelity.head.md'), 'utf8').trimEnd();
const text = `${head}

## Refused
These make \`up\` and \`agent run\` refuse the configuration, because ignoring them would open what somebody meant to close, or do what
nobody asked for. \`--allow-unenforced\` runs without them and says so each time.

${table(['kind', 'field', 'why'], entries('error'))}

## Reported
Traffic flows, but not wholly as written. Each use is reported with its line.

${table(['kind', 'field', 'what happens'], entries('warning'))}

## Envoy configuration that the embedded proxy refuses
A refused configuration leaves the last good one running. Little of this is ever generated: PROXY protocol to upstreams, and \`transparent\` for TPROXY.

${table(['message', 'field', 'why'], await envoyFields())}
`;

const file = join(root, 'docs/fidelity.md');
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/fidelity.md does not match the lists in the code; run: node scripts/fidelity-docs.ts');
  process.exitCode = 1;
}
