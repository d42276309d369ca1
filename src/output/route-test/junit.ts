/** JUnit's XML: a suite a file, a case a test. */
import type { TestReport, TestResult } from '../../explain/test/types.ts';
import { xml } from '../xml.ts';
import { failureLine, failureText } from './plain.ts';

/** The report; coverage under what was asked for is a failed case of its own. */
export function testJunit({ tests, coverage }: TestReport, failUnder?: number): string {
  const files = new Map<string, TestResult[]>();
  for (const test of tests) files.set(test.file, [...(files.get(test.file) ?? []), test]);
  const under = coverage !== undefined && failUnder !== undefined;
  const uncovered = under && coverage.percent < failUnder;
  const total = tests.length + (under ? 1 : 0);
  const failures = tests.filter(({ passed }) => !passed).length + (uncovered ? 1 : 0);
  const out = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="fairlead test" tests="${total}" failures="${failures}" errors="0" skipped="0">`,
  ];
  for (const [file, own] of files) {
    const failed = own.filter(({ passed }) => !passed).length;
    out.push(`  <testsuite name="${xml(file)}" file="${xml(file)}" tests="${own.length}" failures="${failed}" errors="0" skipped="0">`);
    for (const test of own) out.push(...testCase(test));
    out.push('  </testsuite>');
  }
  if (under) {
    out.push(`  <testsuite name="coverage" tests="1" failures="${uncovered ? 1 : 0}" errors="0" skipped="0">`);
    const name = `coverage of at least ${failUnder} %`;
    if (!uncovered) out.push(`    <testcase name="${xml(name)}" classname="coverage"/>`);
    else {
      const untested = coverage.untested.map(({ file, line, column, resource }) => `${file}:${line}:${column} ${resource}`).join('\n');
      out.push(`    <testcase name="${xml(name)}" classname="coverage">`);
      out.push(
        `      <failure message="${xml(`coverage is ${coverage.percent.toFixed(1)} %`)}" type="coverage">${xml(untested)}</failure>`,
        '    </testcase>',
      );
    }
    out.push('  </testsuite>');
  }
  out.push('</testsuites>', '');
  return out.join('\n');
}

function testCase({ name, file, line, failures, failed }: TestResult): string[] {
  const head = `    <testcase name="${xml(name)}" classname="${xml(file)}" file="${xml(file)}" line="${line}"`;
  const [first] = failures;
  if (first === undefined) return [`${head}/>`];
  const more = failed > failures.length ? [`and ${failed - failures.length} more`] : [];
  const details = [...failures.map(failureText), ...more].join('\n\n');
  return [
    `${head}>`,
    `      <failure message="${xml(failureLine(first))}" type="expectation">${xml(details)}</failure>`,
    '    </testcase>',
  ];
}
