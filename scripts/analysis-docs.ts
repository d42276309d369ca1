/**
 * Writes docs/analysis/, a page for each code of `fairlead analyze`, from the catalogue.
 *
 *   node scripts/analysis-docs.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when a page is not what it should be.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CATALOGUE, documentationUrl } from '../src/analysis/catalogue/catalogue.ts';
import type { Message } from '../src/analysis/catalogue/message.ts';
import { howToSuppress } from '../src/output/findings/explain.ts';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'analysis');
const cell = (text: string): string => text.replaceAll('|', '\\|');

function page(message: Message): string {
  const { code, name, level, args, summary, effect, hint, wrong, right, precheck } = message;
  return `${[
    `# ${code}: ${name}`,
    `Level: ${level}. ${precheck ? 'Found by checks of a cluster, not in configuration.' : ''}`.trim(),
    summary,
    `**At run time:** ${effect}`,
    ...(hint === undefined ? [] : [`**What to do:** ${hint}.`]),
    ...(args.length === 0 ? [] : [`**Arguments:** ${args.map((arg) => `\`${arg}\``).join(', ')}`]),
    ...(wrong === undefined
      ? []
      : ['## Wrong', `\`\`\`yaml\n${wrong.trimEnd()}\n\`\`\``, '## Right', `\`\`\`yaml\n${right!.trimEnd()}\n\`\`\``]),
    '## To suppress it',
    howToSuppress(code)
      .map((way) => `- ${way}`)
      .join('\n'),
    ...(code.startsWith('IST') ? [`Istio's own page: <${documentationUrl(code)}>`] : []),
  ].join('\n\n')}\n`;
}

function index(): string {
  const rows = CATALOGUE.map(
    ({ code, name, level, summary, precheck }) =>
      `| [${code}](${code}.md) | ${level} | ${name} | ${cell(summary)}${precheck ? ' (clusters only)' : ''} |`,
  );
  return `# Findings of \`fairlead analyze\`

Made by \`node scripts/analysis-docs.ts\` from the catalogue in \`src/analysis/catalogue/\`; \`fairlead analyze --code CODE\` shows the same.
Codes that begin with IST are Istio's, with its names, levels and arguments, so that suppressions carry over. Those that begin with FL are Fairlead's own.

| code | level | name | what it is about |
|---|---|---|---|
${rows.join('\n')}
`;
}

const pages = new Map([['README.md', index()], ...CATALOGUE.map((message): [string, string] => [`${message.code}.md`, page(message)])]);

function existing(): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const stale = existing().filter((name) => !pages.has(name));
if (process.argv.includes('--check')) {
  const wrong = [...pages].filter(([name, text]) => !existing().includes(name) || readFileSync(join(folder, name), 'utf8') !== text);
  for (const name of [...wrong.map(([file]) => file), ...stale])
    console.error(`docs/analysis/${name} is not in step: run node scripts/analysis-docs.ts`);
  process.exitCode = wrong.length + stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of pages) writeFileSync(join(folder, name), text);
  for (const name of stale) rmSync(join(folder, name));
}
