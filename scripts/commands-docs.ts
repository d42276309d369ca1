/**
 * Writes docs/commands.md, the reference of all commands, from oclif.manifest.json, which the build makes.
 *
 *   node scripts/commands-docs.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when the file is not what it should be.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@oclif/core/command';
import { type Manifest, readManifest } from '../src/cli/manifest.ts';
import { packageRoot } from '../src/cli/package-root.ts';

type Topics = Record<string, { description?: string; hidden?: boolean }>;
type Flag = Command.Cached['flags'][string];

/** The whole file. The order of the manifest's commands says nothing: it differs from build to build. */
export function commandsDocument(manifest: Manifest, topics: Topics): string {
  const shown = Object.entries(manifest.commands).filter(([, command]) => !command.hidden);
  const parents = new Set(shown.flatMap(([id]) => (id.includes(':') ? [topicOf(id)] : [])));
  /** Commands without a topic first, then one topic after the other. */
  const place = (id: string): string => (parents.has(topicOf(id)) ? `1 ${id}` : `0 ${id}`);
  const commands = shown.sort(([a], [b]) => (place(a) < place(b) ? -1 : 1));
  const lines = [
    '# Commands',
    '',
    'Made by `node scripts/commands-docs.ts` from the commands themselves; `fairlead COMMAND --help` shows the same.',
    '',
    '| command | what it does |',
    '|---|---|',
    ...commands.map(([id, command]) => `| [\`${words(id)}\`](#${anchor(id)}) | ${cell(command.summary ?? '')} |`),
    '',
    'Every command takes `--help` and `--no-color`, and all but `up` and `agent run` take `--json`: the result as JSON, errors too.',
    'Exit codes: 0 done; 1 findings or a failed check; 2 wrong usage; 3 could not do it.',
  ];
  let topic = '';
  for (const [id, command] of commands) {
    const own = parents.has(topicOf(id)) ? topicOf(id) : '';
    // A topic that is a command as well has that one's section at its head.
    if (own !== topic && own !== '' && own !== id) lines.push('', `## fairlead ${own}`, '', topics[own]?.description ?? '');
    topic = own;
    lines.push('', `${own === '' || own === id ? '##' : '###'} fairlead ${words(id)}`, '', ...section(id, command));
  }
  return `${lines.join('\n')}\n`;
}

function topicOf(id: string): string {
  return id.split(':')[0] as string;
}

function section(id: string, command: Command.Cached): string[] {
  const args = Object.values(command.args).filter((arg) => !arg.hidden);
  const flags = Object.values(command.flags).filter((flag) => !flag.hidden && flag.helpGroup !== 'GLOBAL');
  const usage = [
    'fairlead',
    words(id),
    ...args.map((arg) => (arg.required ? label(arg) : `[${label(arg)}]`)),
    ...(flags.length > 0 ? ['[FLAGS]'] : []),
  ];
  const lines = [command.summary ?? '', ''];
  if (command.description) lines.push(command.description, '');
  lines.push('```', usage.join(' ') + (command.strict === false && args.length > 0 ? ' …' : ''), '```');
  if (args.length > 0 || flags.length > 0) {
    lines.push('', '| | |', '|---|---|');
    for (const arg of args) lines.push(`| \`${label(arg)}\` | ${cell(arg.description ?? '')} |`);
    for (const flag of flags) lines.push(`| ${spelling(flag)} | ${cell(meaning(flag))} |`);
  }
  if (command.aliases.length > 0) lines.push('', `Also: ${command.aliases.map((alias) => `\`${words(alias)}\``).join(', ')}.`);
  if (command.examples && command.examples.length > 0) lines.push('', '```sh', ...command.examples.flatMap(example), '```');
  return lines;
}

function label(arg: { name: string }): string {
  return arg.name.toUpperCase();
}

function spelling(flag: Flag): string {
  const long = flag.type === 'boolean' && flag.allowNo ? `--[no-]${flag.name}` : `--${flag.name}`;
  const value = flag.type === 'boolean' ? '' : ` ${flag.helpValue ?? flag.options?.join('|') ?? 'VALUE'}`.replaceAll('|', '\\|');
  return `\`${flag.char ? `-${flag.char}, ` : ''}${long}${value}\``;
}

function meaning(flag: Flag): string {
  const fallback =
    flag.type === 'option' && flag.default !== undefined && typeof flag.default !== 'object' ? ` [default: ${flag.default}]` : '';
  const env = flag.env ? ` [env: ${flag.env}]` : '';
  const several = flag.type === 'option' && flag.multiple ? ' (may be repeated)' : '';
  return `${flag.required ? '(required) ' : ''}${flag.description ?? flag.summary ?? ''}${several}${fallback}${env}`;
}

function example(given: Command.Example): string[] {
  const fill = (text: string): string => text.replace(/<%= config\.bin %>/g, 'fairlead');
  if (typeof given === 'string') return [fill(given)];
  return [`# ${given.description}`, fill(given.command)];
}

function words(id: string): string {
  return id.replaceAll(':', ' ');
}

function anchor(id: string): string {
  return `fairlead-${id.replaceAll(':', '-')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (import.meta.main) {
  const root = packageRoot();
  const manifest = readManifest();
  if (manifest === undefined) {
    console.error('commands-docs: there is no oclif.manifest.json; run `npm run build` first');
    process.exit(1);
  }
  const { oclif } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { oclif: { topics: Topics } };
  const file = join(root, 'docs/commands.md');
  const text = commandsDocument(manifest, oclif.topics);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error('commands-docs: docs/commands.md is not in step with the commands; run `node scripts/commands-docs.ts`');
    process.exitCode = 1;
  }
}
