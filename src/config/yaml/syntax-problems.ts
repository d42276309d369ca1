import type { Problem } from '../../errors.ts';
import type { TextFile } from '../text-file.ts';
import type { ParseFailure } from './parse-document.ts';
import type { DocumentRange } from './split-documents.ts';
import { templateAction } from './template.ts';

/** Beyond this size of one document only the first error is reported: finding all of them takes a second per megabyte. */
const MAX_FULL_REPORT = 4_000_000;

/**
 * All syntax errors of a document that the fast parser refused with `failure`. The `yaml` package, which goes on after an error,
 * finds them; where it sees none, the fast parser's own is reported. What a Secret has in its lines is not quoted.
 */
export async function syntaxProblems(file: TextFile, range: DocumentRange, failure: ParseFailure): Promise<Problem[]> {
  const problems = await allProblems(file, range, failure);
  if (!/^["']?kind["']?\s*:\s*["']?Secret\b/m.test(file.text.slice(range.start, range.end))) return problems;
  return problems.map((problem) => ({ ...problem, message: unquoted(problem.message, file.line(problem.position?.line ?? 0) ?? '') }));
}

/** Without the words of a line. */
function unquoted(message: string, line: string): string {
  const words = (line.match(/[^\s:'"*&!|>]{3,}/g) ?? []).sort((a, b) => b.length - a.length);
  return words.reduce((text, word) => text.replaceAll(word, '…'), message);
}

async function allProblems(file: TextFile, range: DocumentRange, failure: ParseFailure): Promise<Problem[]> {
  const first = problemAt(
    file,
    range.start + failure.offset,
    failure.rule,
    firstMessage(failure.reason),
    firstHint(file.text, range, failure),
  );
  if (failure.rule === 'yaml/limit' || range.end - range.start > MAX_FULL_REPORT) return [first];
  const text = file.text.slice(range.start, range.end);
  const action = templateAction(text, failure.offset);
  if (action !== undefined) return [problemAt(file, range.start + action, 'yaml/template', IS_TEMPLATE, RENDER_IT)];
  const errors = await allErrors(text);
  if (errors.length === 0) return [first];
  // What is missing at the end is missing behind the last thing that is there, not on a line of the next document.
  const end = text.trimEnd().length;
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { code, offset: found, message } of errors) {
    const offset = Math.min(found, end);
    const explained = EXPLANATIONS[code];
    const key = keyAt(text, offset);
    const duplicate = code === 'DUPLICATE_KEY' ? `the key ${JSON.stringify(key)} is there twice in the same map` : undefined;
    const problem = problemAt(
      file,
      range.start + offset,
      duplicate === undefined ? 'yaml/syntax' : 'yaml/duplicate-key',
      duplicate ?? explained?.message ?? lowerFirst(message),
      explained?.hint ?? hintFor(text, offset),
    );
    // One slip gives rise to several complaints about its line; the first one says it.
    const line = `${problem.position!.line}`;
    if (duplicate === undefined && seen.has(line)) continue;
    seen.add(line);
    problems.push(problem);
  }
  return problems;
}

const IS_TEMPLATE = 'this is a template: it is YAML only when each `{{ … }}` has been filled in';
const RENDER_IT = 'Read what comes out of it: `helm template CHART | fairlead validate -`';

interface SyntaxError {
  code: string;
  offset: number;
  message: string;
}

async function allErrors(text: string): Promise<SyntaxError[]> {
  const { parseAllDocuments, visit } = await import('yaml');
  try {
    const documents = parseAllDocuments(text, { prettyErrors: false, merge: true, version: '1.2', logLevel: 'silent' });
    if (!Array.isArray(documents)) return [];
    return documents.flatMap((document) =>
      document.errors.map(({ code, pos, message }) => {
        if (code !== 'MISSING_CHAR' || !message.includes('quote')) return { code: code as string, offset: pos[0], message };
        // Where the quote is opened tells more than where the text ends.
        let offset = pos[0];
        visit(document, {
          Scalar(_, node) {
            if (node.type?.startsWith('QUOTE') && node.range) offset = node.range[0];
          },
        });
        return { code: 'UNCLOSED_QUOTE', offset, message };
      }),
    );
  } catch {
    // Deep nesting can exhaust its stack; the fast parser's error remains.
    return [];
  }
}

const EXPLANATIONS: Record<string, { message?: string; hint?: string } | undefined> = {
  UNCLOSED_QUOTE: { message: 'the quote that begins here is not closed' },
  TAB_AS_INDENT: { message: 'a tab is used for indentation', hint: 'YAML indents by spaces only; replace the tab' },
  BAD_INDENT: { hint: 'Entries of the same map or list begin in the same column' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a map cannot begin in the middle of a line: there is a second `: `',
    hint: 'Quote the value if the colon belongs to it, or put the map on its own lines',
  },
  MULTILINE_IMPLICIT_KEY: { message: 'a key must be on one line', hint: 'Is there a space missing after a colon?' },
  BAD_SCALAR_START: { hint: 'Quote the value' },
  MULTIPLE_DOCS: { message: 'a second document begins without a `---` line' },
};

function hintFor(text: string, offset: number): string | undefined {
  const lineStart = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
  return /^ *\t/.test(text.slice(lineStart, offset + 1)) ? EXPLANATIONS['TAB_AS_INDENT']!.hint : undefined;
}

function firstHint(text: string, range: DocumentRange, failure: ParseFailure): string | undefined {
  const near = text.slice(range.start, range.end);
  return failure.rule === 'yaml/limit' ? undefined : hintFor(near, failure.offset);
}

/** The fast parser's reasons, where they can be said better. */
function firstMessage(reason: string): string {
  const alias = /^unidentified alias "(.*)"$/.exec(reason);
  if (alias !== null) return `there is no anchor \`&${alias[1]}\` before the alias \`*${alias[1]}\``;
  const tag = /^unknown (?:scalar|mapping|sequence) tag !<(.*)>$/.exec(reason);
  if (tag !== null) return `the tag ${tag[1]} is not supported`;
  return reason;
}

function keyAt(text: string, offset: number): string {
  const written = /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\n:,}]*)/.exec(text.slice(offset, offset + 300))?.[0] ?? '';
  return written.trim().replace(/^(["'])(.*)\1$/, '$2');
}

const lowerFirst = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1);

function problemAt(file: TextFile, offset: number, rule: string, message: string, hint: string | undefined): Problem {
  return { severity: 'error', rule, message, ...(hint === undefined ? {} : { hint }), position: file.positionAt(offset) };
}
