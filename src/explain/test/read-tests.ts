import { documentSource, type TextSource } from '../../config/document-source.ts';
import type { FieldPath } from '../../config/resource.ts';
import type { TextFile } from '../../config/text-file.ts';
import { checkValue } from '../../config/validation/check-value.ts';
import { describeValue } from '../../config/validation/describe-value.ts';
import { countingAll, createReport, type Report } from '../../config/validation/report.ts';
import { schemaNode } from '../../config/validation/schema-node.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import { splitDocuments } from '../../config/yaml/split-documents.ts';
import { syntaxProblems } from '../../config/yaml/syntax-problems.ts';
import type { Problem } from '../../errors.ts';
import { casesOf, type WrittenTest } from './cases.ts';
import { checkExpectation } from './check-expectation.ts';
import { isEnvoyTest, readEnvoyTests } from './envoy-tests.ts';
import { testFileSchema } from './schema.ts';
import type { RouteTest, Sender } from './types.ts';

/** Tests of one file, and all that is wrong with it. */
export interface ReadTests {
  readonly tests: readonly RouteTest[];
  readonly problems: readonly Problem[];
}

interface WrittenFile {
  readonly defaults?: Sender;
  readonly tests: readonly WrittenTest[];
}

/**
 * Reads the tests of a file: YAML of Fairlead's own, or YAML or JSON of Envoy's router_check_tool. Nothing throws for what a file says:
 * every error is a problem with its place.
 */
export async function readTests(file: TextFile): Promise<ReadTests> {
  const problems: Problem[] = [];
  const tests: RouteTest[] = [];
  const ranges = splitDocuments(file.text);
  if (ranges.length === 0)
    problems.push({ severity: 'error', rule: 'test/empty', message: 'the file has no tests', position: file.positionAt(0) });
  for (const [index, range] of ranges.entries()) {
    const outcome = parseDocument(file.text.slice(range.start, range.end));
    if (!outcome.ok) {
      problems.push(...(await syntaxProblems(file, range, outcome.failure)));
      continue;
    }
    const source = documentSource(file, range, index);
    const report = createReport(problems, source, () => undefined);
    tests.push(...(isEnvoyTest(outcome.value) ? readEnvoyTests(outcome.value, source, report) : readOwn(outcome.value, source, report)));
    // All the other documents will be configuration as well.
    if (problems.at(-1)?.rule === 'test/not-tests') break;
  }
  return { tests, problems };
}

function readOwn(value: unknown, source: TextSource, report: Report): RouteTest[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report.error([], 'schema/type', `a file of tests is a map with \`tests\`, not ${describeValue(value)}`, { hint: 'See docs/test.md' });
    return [];
  }
  const kind = (value as { kind?: unknown }).kind;
  if (typeof kind === 'string') {
    report.error(['kind'], 'test/not-tests', `this is configuration (${kind}), not tests`, {
      atKey: true,
      hint: 'Name configuration with -f, and files of tests as arguments',
    });
    return [];
  }
  const counting = countingAll(report);
  checkValue(schemaNode(testFileSchema), value, { report: counting, path: [], chain: [] });
  if (counting.typeErrors > 0) return [];
  const { defaults = {}, tests } = value as WrittenFile;
  return tests.map((test, i) => {
    const at: FieldPath = ['tests', i];
    checkExpectation(test.expect, [...at, 'expect'], counting);
    if (test.connections !== undefined) checkConnection(test, at, counting);
    const own = test.from ?? test.to ?? test.gateway;
    const sender: Sender = own === undefined ? defaults : pick(test);
    return {
      name: test.name,
      sender,
      cases: casesOf(test, at, counting),
      expect: test.expect,
      get position() {
        return source.positionOf(at);
      },
      senderPosition: () => source.positionOf(own === undefined ? ['defaults', ...keyOf(defaults)] : [...at, ...keyOf(sender)]),
      positionOf: (field) => source.positionOf([...at, 'expect', ...field]),
    };
  });
}

const pick = ({ from, to, gateway }: WrittenTest): Sender => ({
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  ...(gateway !== undefined && { gateway }),
});

const keyOf = (sender: Sender): string[] => Object.keys(sender).slice(0, 1);

/** What only requests have. */
const OF_REQUESTS = [
  'route',
  'virtualHost',
  'status',
  'upstream',
  'response',
  'redirect',
  'fault',
  'timeout',
  'retries',
  'mirror',
  'cors',
] as const;

function checkConnection(test: WrittenTest, at: FieldPath, report: Report): void {
  for (const field of OF_REQUESTS) {
    if (test.expect[field] !== undefined)
      report.error([...at, 'expect', field], 'test/connection', `\`${field}\` is about requests: connections have none`, { atKey: true });
  }
}
