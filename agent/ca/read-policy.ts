/** Reads `policy.yaml`: everything that is wrong with it is said, with its line. */
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { FairleadError, type Problem } from '../../src/errors.ts';
import { readTextIfThere } from './directory.ts';
import { DEFAULT_POLICY, type Policy } from './policy.ts';
import { policyOf } from './policy-of.ts';

/** The default when there is no such file. Throws E_CA_POLICY, E_CA_DIRECTORY. */
export function readPolicy(directory: string): Policy {
  const text = readTextIfThere(directory, 'policy.yaml');
  return text === undefined ? DEFAULT_POLICY : parsePolicy(text, join(directory, 'policy.yaml'));
}

/** Throws E_CA_POLICY. @param file named in problems */
export function parsePolicy(text: string, file: string): Policy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const problems: Problem[] = [];
  const positionAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  for (const error of document.errors)
    problems.push({ severity: 'error', rule: 'yaml/syntax', message: sentence(error.message), position: positionAt(error.pos[0]) });
  const wrong = (path: readonly (string | number)[], message: string): void => {
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
    problems.push({ severity: 'error', rule: 'policy/invalid', message, position: positionAt(node?.range?.[0] ?? 0), path: dotted(path) });
  };
  const policy = problems.length === 0 ? policyOf(document.toJS() as unknown, wrong) : DEFAULT_POLICY;
  if (problems.length === 0) return policy;
  throw new FairleadError('E_CA_POLICY', `the CA’s policy ${file} is not valid`, { problems });
}

/** The first line, without the position that follows it. */
const sentence = (message: string): string => (message.split('\n')[0] as string).replace(/ at line \d+, column \d+:$/, '');

const dotted = (path: readonly (string | number)[]): string =>
  path
    .map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`))
    .join('')
    .replace(/^\./, '');
