/**
 * Writes docs/engines.md: what the embedded proxy refuses of Envoy's configuration, from the lists that it goes by, and where it handles
 * traffic otherwise than Envoy, from the contract's cases that say so.
 *
 *   node scripts/engines-docs.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when the file is not what it should be.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCase } from '../test/contract/case.ts';
import { markdownTable } from './markdown-table.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

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

async function refusedFields(): Promise<string[][]> {
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

/** Cases that hold for Envoy alone, each with what the embedded proxy does. */
function differences(): string[][] {
  const files = globSync('test/contract/cases/*/*.yaml', { cwd: root }).sort();
  return files.flatMap((file) => {
    const { title, reference, skip } = readCase(join(root, file));
    return skip.embedded === undefined ? [] : [[title, skip.embedded, reference, `\`${file.slice('test/contract/cases/'.length)}\``]];
  });
}

const text = `# Engines
<!-- Made by scripts/engines-docs.ts from the lists in the code and the cases in test/contract. -->

The same configuration drives the real Envoy and the embedded proxy. \`test/contract/\` holds both to the same answers: one file a case, run
on both engines, and through \`explain\` where no time, chance or failure decides. This page is what is left between them. The real Envoy
refuses nothing that Fairlead generates; what Fairlead itself does not act on, whichever the engine, is in [fidelity.md](fidelity.md).

## Handled otherwise by the embedded proxy
What Envoy does, and what happens instead.

${markdownTable(['with Envoy', 'embedded', 'reference', 'case'], differences())}

## Refused by the embedded proxy
Fields of Envoy's configuration. A refused configuration leaves the last good one running, and the refusal names the resource and its
line. Little of this is ever generated: PROXY protocol to upstreams, and what captured traffic needs (\`useOriginalDst\`, \`transparent\`, \`additionalAddresses\`).

${markdownTable(['message', 'field', 'why'], await refusedFields())}
`;

const file = join(root, 'docs/engines.md');
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/engines.md does not match the lists in the code; run: node scripts/engines-docs.ts');
  process.exitCode = 1;
}
