/** An error as people, or with --json programs, get to read it. */
import { closest } from 'fastest-levenshtein';
import { EXIT, FairleadError } from '../errors.ts';

/** What oclif puts on the errors that its parser throws. */
interface OclifError extends Error {
  oclif?: { exit?: number };
  code?: string;
  parse?: unknown;
}

/** Prints the error and returns the exit code. Nothing that a user can type shows a stack trace; FAIRLEAD_DEBUG=1 does. */
export async function reportError(error: unknown, argv: readonly string[]): Promise<number> {
  const { exitCode, body, text } = await describe(error, argv);
  if (body === undefined) return exitCode;
  if (wantsJson(argv)) process.stdout.write(`${JSON.stringify({ error: body }, null, 2)}\n`);
  else process.stderr.write(`${text}\n`);
  if (process.env['FAIRLEAD_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCode;
}

interface Description {
  exitCode: number;
  /** undefined: nothing to say, the command has spoken. */
  body: Record<string, unknown> | undefined;
  text: string;
}

async function describe(error: unknown, argv: readonly string[]): Promise<Description> {
  if (error instanceof FairleadError) {
    const { formatProblems } = await import('../output/problems.ts');
    const lines = [`fairlead: ${error.message}`];
    if (error.problems.length > 0)
      lines.push('', await formatProblems(error.problems, { color: useColor(), width: process.stderr.columns ?? 100 }));
    if (error.next) lines.push('', error.next);
    const body = { code: error.code, message: error.message, next: error.next, position: error.position, problems: error.problems };
    return { exitCode: error.exitCode, body, text: lines.join('\n') };
  }
  const e = error as OclifError;
  if (e?.code === 'EEXIT') return { exitCode: e.oclif?.exit ?? 0, body: undefined, text: '' };
  if (e?.parse !== undefined || e?.oclif?.exit === 2 || e?.oclif?.exit === 127) {
    const message = e.message.replace(/\nSee more help with --help$/, '').trim();
    const next = /^command .* not found$/.test(message) ? await nearestCommand(argv) : `See \`fairlead ${commandWords(argv)}--help\`.`;
    return { exitCode: EXIT.usage, body: { code: 'E_USAGE', message, next }, text: `fairlead: ${message}\n${next}` };
  }
  const message = e instanceof Error ? e.message : String(error);
  const next = 'This is a bug in Fairlead. Run it again with FAIRLEAD_DEBUG=1 for a report.';
  return { exitCode: EXIT.failed, body: { code: 'E_INTERNAL', message, next }, text: `fairlead: internal error: ${message}\n${next}` };
}

/** The leading words of the command line that are not flags, so that help is asked of the right command. */
function commandWords(argv: readonly string[]): string {
  const words: string[] = [];
  for (const word of argv) {
    if (word.startsWith('-') || words.length === 2 || !/^[a-z][a-z-]*$/.test(word)) break;
    words.push(word);
  }
  return words.map((w) => `${w} `).join('');
}

async function nearestCommand(argv: readonly string[]): Promise<string> {
  const { commandIds } = await import('./command-ids.ts');
  const typed = argv
    .filter((a) => !a.startsWith('-'))
    .slice(0, 2)
    .join(' ');
  const ids = commandIds();
  if (ids.length === 0) return 'See `fairlead --help`.';
  return `Did you mean \`fairlead ${closest(typed, ids)}\`? See \`fairlead --help\` for all commands.`;
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  return (
    flags.includes('--json') ||
    flags.some((f, i) => f === '-ojson' || f === '--output=json' || ((f === '-o' || f === '--output') && flags[i + 1] === 'json'))
  );
}

function useColor(): boolean {
  return Boolean(process.stderr.isTTY) && !process.env['NO_COLOR'] && process.env['FORCE_COLOR'] !== '0';
}
