import type { FieldPath } from '../../config/resource.ts';
import type { Report } from '../../config/validation/report.ts';
import { compileRegex } from '../../routing/regex.ts';
import type { Expectation } from './types.ts';

/** Reports what the schema cannot say: expectations of nothing, expressions that are none. */
export function checkExpectation(expect: Expectation, at: FieldPath, report: Report): void {
  walk(expect, at, report);
  if (expect.response?.grpcStatus !== undefined && expect.status !== undefined && expect.status !== 200)
    report.error([...at, 'status'], 'test/contradiction', 'answers with a grpc-status have status 200');
}

function walk(value: unknown, at: FieldPath, report: Report): void {
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  if (entries.length === 0 && !Array.isArray(value)) {
    const name = at.at(-1);
    report.error(at, 'test/empty', name === 'expect' ? 'the test expects nothing' : `\`${name}\` expects nothing`, { atKey: true });
  }
  for (const [key, child] of entries) {
    const path = [...at, Array.isArray(value) ? Number(key) : key];
    if (key === 'regex' && typeof child === 'string') checkRegex(child, path, report);
    else walk(child, path, report);
  }
}

function checkRegex(regex: string, at: FieldPath, report: Report): void {
  const compiled = compileRegex(regex);
  if (typeof compiled === 'string') report.error(at, 'test/regex', `${JSON.stringify(regex)} is no regular expression: ${compiled}`);
}
