/** An error as people, or with --json programs, get to read it. */
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
    const { longestCommand, leadingWords, unknownCommand } = await import('./unknown-command.ts');
    const said = parserMessage(e.message);
    const command = longestCommand(leadingWords(argv));
    const { message, next } = /^command .* not found\.?$/is.test(said)
      ? unknownCommand(argv)
      : { message: said, next: `See \`fairlead ${command === '' ? '' : `${command} `}--help\`.` };
    return { exitCode: EXIT.usage, body: { code: 'E_USAGE', message, next }, text: `fairlead: ${message}\n${next}` };
  }
  const message = e instanceof Error ? e.message : String(error);
  const next = 'This is a bug in Fairlead. Run it again with FAIRLEAD_DEBUG=1 for a report.';
  return { exitCode: EXIT.failed, body: { code: 'E_INTERNAL', message, next }, text: `fairlead: internal error: ${message}\n${next}` };
}

/** What oclif's parser says, in one sentence. */
function parserMessage(message: string): string {
  return message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^Parsing (--\S+)\s+Expected an? /, '$1 must be an ')
    .replace(/ but received: (.*)$/s, (_, value: string) => `, not ${JSON.stringify(value)}`)
    .trim();
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
