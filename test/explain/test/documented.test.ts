/** docs/test.md: its example passes on the shop, and every field of tests and reports is on the page. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testFileSchema } from '../../../src/explain/test/schema.ts';
import type { TestReport } from '../../../src/explain/test/types.ts';
import { fairlead } from '../../support/cli.ts';
import { withScratch } from '../../support/scratch.ts';

const page = readFileSync(new URL('../../../docs/test.md', import.meta.url), 'utf8');
const SHOP = 'examples/shop/mesh';

test(
  'the example of the page passes on the shop',
  withScratch(async (_, write) => {
    const example = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;
    const file = write('page.mesh-test.yaml', example);
    const { code, out } = await fairlead(['test', file, '-f', SHOP]);
    assert.is(code, 0, out);
    assert.match(out, /3 tests, 4 requests: all passed/);
  }),
);

test('every field that a test can have is on the page', () => {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) for (const item of node) walk(item);
    else if (typeof node === 'object' && node !== null) {
      const { properties } = node as { properties?: Record<string, unknown> };
      for (const name of Object.keys(properties ?? {})) names.add(name);
      for (const child of Object.values(node)) walk(child);
    }
  };
  walk(testFileSchema);
  assert.ok(names.size > 40, `${names.size} fields`);
  assert.equal(
    [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(page)),
    [],
  );
});

test(
  'every field of a report is on the page, and so is the failure that it shows',
  withScratch(async (_, write) => {
    const file = write(
      'a.mesh-test.yaml',
      `tests:
- name: testers get v2 every time
  from: web
  hosts: catalog
  headers: { x-tester: "Yes" }
  expect:
    destination: { host: catalog, subset: v2 }
`,
    );
    const { out } = await fairlead(['test', file, '-f', SHOP, '-o', 'json', '--coverage']);
    const report = JSON.parse(out) as TestReport;
    const [result] = report.tests;
    const [failed] = result!.failures;
    const fields = [
      report,
      result,
      failed,
      failed!.failures[0],
      failed!.reasons[0],
      report.coverage,
      report.coverage!.routes,
      report.coverage!.untested[0],
    ];
    for (const name of fields.flatMap((of) => Object.keys(of as object)))
      if (name !== 'tested') assert.ok(page.includes(`\`${name}`), name);
    const shown = /```\n(✗[\s\S]*?)```/.exec(page)![1]!.trim();
    const { out: text } = await fairlead(['test', file, '-f', SHOP]);
    const plain = (of: string): string =>
      of.replaceAll(file, 'mesh/shop.mesh-test.yaml').replaceAll(`${SHOP}/`, 'mesh/').replace(/\s+/g, ' ');
    assert.ok(plain(text).startsWith(plain(shown)), text);
  }),
);

test.run();
