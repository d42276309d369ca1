/** JUnit's XML, which CI systems show as tests: a failing one for each finding, one that passes when there is none. */
import type { Finding } from '../../analysis/finding.ts';
import { formatPosition } from '../../config/resource.ts';
import { xml } from '../xml.ts';
import type { FindingsReport } from './report.ts';

/** One suite a file; findings below the level that fails are skipped tests, so that they are seen and do not fail. */
export function* findingsJunit({ findings, files }: FindingsReport, fails: (finding: Finding) => boolean): Generator<string, void> {
  const suites = new Map<string, Finding[]>();
  for (const finding of findings) {
    const file = finding.position?.file ?? 'fairlead';
    const suite = suites.get(file);
    if (suite === undefined) suites.set(file, [finding]);
    else suite.push(finding);
  }
  const failures = findings.filter(fails).length;
  const tests = Math.max(findings.length, 1);
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="fairlead analyze" tests="${tests}" failures="${failures}" errors="0" skipped="${findings.length - failures}">\n`;
  if (findings.length === 0) {
    yield '  <testsuite name="fairlead analyze" tests="1" failures="0" errors="0" skipped="0">\n';
    yield `    <testcase name="nothing found in ${files} file${files === 1 ? '' : 's'}" classname="fairlead"/>\n  </testsuite>\n`;
  }
  for (const [file, own] of suites) {
    const failed = own.filter(fails).length;
    yield `  <testsuite name="${xml(file)}" tests="${own.length}" failures="${failed}" errors="0" skipped="${own.length - failed}">\n`;
    for (const finding of own) yield testCase(finding, fails(finding));
    yield '  </testsuite>\n';
  }
  yield '</testsuites>\n';
}

function testCase({ code, level, origin, path, message, hint, position }: Finding, failed: boolean): string {
  const name = path === '' ? `${code} ${origin}` : `${code} ${origin} ${path}`;
  const place = position === undefined ? '' : ` file="${xml(position.file)}"${position.line === 0 ? '' : ` line="${position.line}"`}`;
  const details = [position === undefined ? '' : formatPosition(position), origin, path, hint].filter((text) => text).join('\n');
  const said = failed
    ? `<failure message="${xml(message)}" type="${level}">${xml(details)}</failure>`
    : `<skipped message="${xml(`${level}: ${message}`)}"/>`;
  return `    <testcase name="${xml(name)}" classname="${code}"${place}>\n      ${said}\n    </testcase>\n`;
}
