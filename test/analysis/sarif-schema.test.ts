/** Our SARIF against the JSON Schema of SARIF 2.1.0: every code, related places, findings without a place, odd file names. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CATALOGUE } from '../../src/analysis/catalogue/catalogue.ts';
import type { Finding } from '../../src/analysis/finding.ts';
import { formatFindings } from '../../src/output/findings/format.ts';
import { joined } from '../support/joined.ts';
import { sarifSchema } from '../support/sarif-schema.ts';
import { analyzeText } from './support.ts';

const found = sarifSchema();

async function sarifOf(findings: readonly Finding[]): Promise<object> {
  const report = { findings, suppressed: 0, known: 0, files: 1, resources: 1, skipped: new Map<string, number>(), paths: ['.'] };
  return JSON.parse(await joined(formatFindings('sarif', report, { version: '1.2.3' }, 'Error')));
}

/** The findings of every example of the catalogue. */
async function allFindings(): Promise<Finding[]> {
  const all: Finding[] = [];
  for (const { wrong } of CATALOGUE) if (wrong !== undefined) all.push(...(await analyzeText(wrong)).findings);
  return all;
}

type Log = { runs: { tool: { driver: Record<string, unknown> }; results: Record<string, unknown>[] }[]; [key: string]: unknown };

if ('missing' in found) {
  console.log(`SKIP SARIF against its schema: ${found.missing}`);
  test.skip('SARIF against its schema', () => undefined);
} else {
  const { Compile } = await import('typebox/schema');
  const validator = Compile(found.schema);
  const errorsOf = (log: object): string[] => {
    const [isValid, errors] = validator.Errors(log);
    return isValid ? [] : errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };

  test('findings of every code make a valid log', async () => {
    const findings = await allFindings();
    assert.ok(new Set(findings.map(({ code }) => code)).size > 80);
    assert.ok(findings.some(({ related }) => related.length > 0));
    assert.equal(errorsOf(await sarifOf(findings)), []);
  });

  test('so do no findings, findings without a place, and files with odd names', async () => {
    const [finding] = (await analyzeText(CATALOGUE.find(({ code }) => code === 'IST0109')!.wrong!)).findings;
    assert.equal(errorsOf(await sarifOf([])), []);
    const names = ['-', './a b/c#d.yaml', '/etc/mesh x.yaml', 'C:\\mesh\\a.yaml', 'ü/%41.yaml', 'a:b.yaml', '\u001b.yaml', '../up.yaml'];
    const placed = names.map((file) => ({ ...finding!, position: { file, line: 1, column: 1 } }));
    assert.equal(errorsOf(await sarifOf([{ ...finding!, position: undefined }, ...placed])), []);
  });

  test('the schema refuses what is wrong: the check above can fail', async () => {
    const log = (await sarifOf(await allFindings())) as Log;
    const spoiled: [string, (copy: Log) => void][] = [
      ['version', (copy) => (copy['version'] = '2.0.0')],
      ['a field of our own', (copy) => (copy['fairlead'] = true)],
      ['no name of the tool', (copy) => delete copy.runs[0]!.tool.driver['name']],
      ['a level of ours', (copy) => (copy.runs[0]!.results[0]!['level'] = 'Error')],
      ['no message', (copy) => delete copy.runs[0]!.results[0]!['message']],
      ['a help URI that is none', (copy) => (copy.runs[0]!.tool.driver['informationUri'] = 'no uri')],
      ['a rule index below -1', (copy) => (copy.runs[0]!.results[0]!['ruleIndex'] = -2)],
      ['a fingerprint that is no text', (copy) => (copy.runs[0]!.results[0]!['partialFingerprints'] = { a: 1 })],
    ];
    for (const [what, spoil] of spoiled) {
      const copy = structuredClone(log);
      spoil(copy);
      assert.ok(errorsOf(copy).length > 0, what);
    }
  });
}

test.run();
