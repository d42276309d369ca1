/** Findings in every format, by what tools need of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import type { Analysis } from '../../src/analysis/analyze.ts';
import { messageByCode } from '../../src/analysis/catalogue/catalogue.ts';
import { formatFindings } from '../../src/output/findings/format.ts';
import { joined } from '../support/joined.ts';
import { analyzeText } from './support.ts';

const conflict = messageByCode('IST0109')!.wrong!;

const report = ({ findings, suppressed }: Pick<Analysis, 'findings' | 'suppressed'>, more = {}) => ({
  findings,
  suppressed,
  known: 0,
  files: 1,
  resources: 2,
  skipped: new Map<string, number>(),
  paths: ['mesh.yaml'],
  ...more,
});

async function formatted(output: string | undefined, text: string, more = {}): Promise<string> {
  const format = { version: '1.2.3', sources: new Map([['mesh.yaml', text]]), width: 80 };
  return await joined(formatFindings(output, report(await analyzeText(text), more), format, 'Error'));
}

test('JSON is a list with the fields of istioctl, and the exact place', async () => {
  const [first] = JSON.parse(await formatted('json', conflict)) as Record<string, unknown>[];
  assert.is(first!['code'], 'IST0109');
  assert.is(first!['level'], 'Error');
  assert.is(first!['origin'], 'VirtualService default/a');
  assert.is(first!['reference'], 'mesh.yaml:6');
  assert.is(first!['documentationUrl'], 'https://istio.io/latest/docs/reference/config/analysis/ist0109/');
  assert.equal([first!['file'], first!['line'], first!['column'], first!['path']], ['mesh.yaml', 6, 11, 'spec.hosts[0]']);
  assert.equal(
    (first!['related'] as { reference: string; origin: string }[]).map(({ reference, origin }) => `${reference} ${origin}`),
    ['mesh.yaml:18 VirtualService default/b'],
  );
  assert.match(String(first!['fingerprint']), /^[0-9a-f]{16}$/);
});

test('JSON without findings is an empty list', async () => {
  assert.is(await formatted('json', messageByCode('IST0109')!.right!), '[]\n');
});

test('YAML says the same as JSON', async () => {
  assert.equal(parse(await formatted('yaml', conflict)), JSON.parse(await formatted('json', conflict)));
});

test('text shows the line with a caret, the other place, what to do, and counts', async () => {
  const text = await formatted(undefined, conflict);
  assert.match(
    text,
    /^Error: the VirtualServices .* \[IST0109\]\n {2}mesh\.yaml:6:11 {2}VirtualService default\/a {2}spec\.hosts\[0\]\n {2}6 \| {3}hosts: \[reviews\]\n {4}\| {11}\^\n/,
  );
  assert.match(text, /\n {2}mesh\.yaml:18:11 {2}VirtualService default\/b: the same host is here\n/);
  assert.match(text, /\n\n2 errors in 1 file\n$/);
});

test('text tells what was hidden and what was not read', async () => {
  const skipped = new Map([['autoscaling/v2/HorizontalPodAutoscaler', 3]]);
  const text = await formatted(undefined, messageByCode('IST0109')!.right!, { suppressed: 2, known: 1, skipped });
  assert.is(
    text,
    'nothing found in 2 resources of 1 file\n2 findings suppressed\n1 finding of the baseline not shown\nnot analyzed, since a mesh does not read them: autoscaling/v2/HorizontalPodAutoscaler (3)\n',
  );
});

test('names that steer a terminal are shown harmless', async () => {
  const text = await formatted(undefined, conflict.replaceAll('[reviews]', '["rev\\u001b[31m"]'));
  assert.not.ok(text.includes('\u001b'));
});

interface Sarif {
  $schema: string;
  version: string;
  runs: {
    tool: {
      driver: {
        name: string;
        version: string;
        rules: { id: string; shortDescription: { text: string }; defaultConfiguration: { level: string } }[];
      };
    };
    columnKind: string;
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: {
        physicalLocation?: { artifactLocation: { uri: string }; region: { startLine: number; startColumn: number } };
        logicalLocations: object[];
      }[];
      relatedLocations?: { id: number; physicalLocation: object; message: { text: string } }[];
      partialFingerprints: Record<string, string>;
    }[];
  }[];
}

/** Besides the schema (sarif-schema.test.ts): what the specification says in words, and what code hosts read. */
test('SARIF: rules, places and fingerprints', async () => {
  const text = `${conflict}---\n${messageByCode('IST0118')!.wrong!}---\nkind: [\n`;
  const log = JSON.parse(await formatted('sarif', text)) as Sarif;
  assert.equal(Object.keys(log).sort(), ['$schema', 'runs', 'version']);
  assert.is(log.version, '2.1.0');
  const [run] = log.runs;
  const { driver } = run!.tool;
  assert.equal([driver.name, driver.version], ['fairlead', '1.2.3']);
  assert.is(run!.columnKind, 'utf16CodeUnits');
  const levels = new Set(['none', 'note', 'warning', 'error']);
  assert.is(new Set(driver.rules.map((rule) => rule.id)).size, driver.rules.length);
  for (const rule of driver.rules) {
    assert.ok(rule.shortDescription.text.length > 0);
    assert.ok(levels.has(rule.defaultConfiguration.level));
  }
  assert.is(run!.results.length, 4);
  for (const result of run!.results) {
    assert.is(driver.rules[result.ruleIndex]!.id, result.ruleId);
    assert.ok(levels.has(result.level));
    assert.ok(result.message.text.length > 0);
    const { artifactLocation, region } = result.locations[0]!.physicalLocation!;
    assert.is(artifactLocation.uri, 'mesh.yaml');
    assert.ok(Number.isInteger(region.startLine) && region.startLine >= 1 && region.startColumn >= 1);
    assert.match(result.partialFingerprints['fairlead/v1']!, /^[0-9a-f]{16}$/);
  }
  const related = run!.results.find((result) => result.ruleId === 'IST0109')!.relatedLocations!;
  assert.equal(
    related.map((place) => place.id),
    [1],
  );
});

test('SARIF names files by valid URIs', async () => {
  const { findings, suppressed } = await analyzeText(conflict);
  for (const [file, uri] of [
    ['./a b/c#d.yaml', 'a%20b/c%23d.yaml'],
    ['/etc/mesh x.yaml', 'file:///etc/mesh%20x.yaml'],
    ['-', 'stdin'],
  ] as const) {
    const moved = findings.map((finding) => ({ ...finding, position: { file, line: 1, column: 1 }, related: [] }));
    const log = JSON.parse(
      await joined(formatFindings('sarif', report({ findings: moved, suppressed }), { version: '1' }, 'Error')),
    ) as Sarif;
    assert.is(log.runs[0]!.results[0]!.locations[0]!.physicalLocation!.artifactLocation.uri, uri);
  }
});

test('JUnit: what fails is a failure, what does not is skipped, nothing found is a test that passes', async () => {
  const text = `${conflict}---\n${messageByCode('IST0118')!.wrong!}`;
  const xml = await formatted('junit', text);
  assert.match(xml, /<testsuites name="fairlead analyze" tests="3" failures="2" errors="0" skipped="1">/);
  assert.match(xml, /<testcase name="IST0109 VirtualService default\/a spec\.hosts\[0\]" classname="IST0109" file="mesh\.yaml" line="6">/);
  assert.is(xml.split('<failure').length - 1, 2);
  const fine = await formatted('junit', messageByCode('IST0109')!.right!);
  assert.match(fine, /tests="1" failures="0"/);
  const hostile = await formatted('junit', conflict.replaceAll('[reviews]', '["<&\\u0001\\"\'>"]'));
  const bare = hostile.replace(/&(?:amp|lt|gt|quot|apos|#10);/g, '');
  assert.not.ok(bare.includes('&') || bare.includes('\u0001'));
});

test('GitHub annotations are one line each, with what would end them escaped', async () => {
  const lines = (await formatted('github', conflict)).trimEnd().split('\n');
  assert.is(lines.length, 2);
  for (const line of lines)
    assert.match(
      line,
      /^::error file=mesh\.yaml,line=\d+,col=11,title=IST0109 VirtualService default\/[ab]::the VirtualServices .*%0AMerge them/,
    );
});

test.run();
