/** `fairlead test` as people, CI and editors use it: the built command line. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TestReport } from '../../src/explain/test/types.ts';
import { fairlead, startFairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const SHOP = 'examples/shop/mesh';
const shop = ['-f', SHOP];
const run = (...args: string[]): ReturnType<typeof fairlead> => fairlead(['test', ...args]);

const WRONG = `tests:
- name: testers get v1 & <more>
  from: web
  hosts: catalog
  headers: { x-tester: "Yes" }
  expect:
    destination: { host: catalog, subset: v2 }
- name: ratings have a timeout
  hosts: ratings
  expect: { timeout: 3s }
`;

test("the shop's own tests pass and cover all of it", async () => {
  const { code, out, err } = await run(SHOP, '--fail-under', '100');
  assert.is(code, 0, out + err);
  assert.match(out, /✓ {2}testers get v2 every time {2}2 requests/);
  assert.match(out, /coverage {2}100 %/);
  assert.match(out, /12 tests, 19 requests: all passed/);
  assert.not.ok(out.includes('\u001b'));
});

test(
  'a failure says what was expected, what is, both places, and why; exit 1',
  withScratch(async (_, write) => {
    const file = write('a.mesh-test.yaml', WRONG);
    const { code, out } = await run(file, ...shop);
    assert.is(code, 1);
    const text = out.replace(/\s+/g, ' ');
    assert.ok(text.includes(`${file}:7:18`), out);
    assert.match(text, /expected catalog subset v2 is 90 % catalog\.default\.svc\.cluster\.local:80 subset v1, 10 %/);
    assert.match(text, /decided by VirtualService default\/catalog http\[1\] examples\/shop\/mesh\/catalog\.yaml:54:5/);
    assert.match(text, /almost route #1 of catalog\.yaml:50 asks that header x-tester is "yes"; the request has "Yes"/);
    assert.match(text, /2 tests, 2 requests: 1 failed, 1 passed/);
    for (const line of out.split('\n')) assert.ok(line.length <= 120, line);
  }),
);

test(
  '-o json and --json are the report; -q says only what failed; --filter chooses',
  withScratch(async (_, write) => {
    const file = write('a.mesh-test.yaml', WRONG);
    for (const flags of [['-o', 'json'], ['--json']]) {
      const { code, out } = await run(file, ...shop, ...flags, '--coverage');
      assert.is(code, 1);
      const report = JSON.parse(out) as TestReport;
      assert.equal([report.version, report.passed, report.failed, report.requests], [1, 1, 1, 2]);
      assert.is(report.tests[0]?.failures[0]?.failures[0]?.field, 'destination');
      assert.ok(report.coverage!.untested.every(({ file: at, line }) => at.startsWith(SHOP) && line > 0));
    }
    const quiet = await run(file, ...shop, '-q', '--filter', 'TIMEOUT');
    assert.equal([quiet.code, quiet.out, quiet.err], [0, '', '']);
  }),
);

test(
  '--fail-under makes low coverage exit 1 and names what is not tested',
  withScratch(async (_, write) => {
    const file = write('a.mesh-test.yaml', 'tests: [{ name: x, hosts: ratings, expect: { destination: ratings } }]\n');
    const { code, out, err } = await run(file, ...shop, '--fail-under', '80%');
    assert.is(code, 1);
    assert.match(err, /coverage is \d+\.\d %, under 80 %/);
    assert.match(out, /not tested[\s\S]*examples\/shop\/mesh\/catalog\.yaml:50:7\s+VirtualService default\/catalog http\[0\]\.match\[0\]/);
    assert.is((await run(file, ...shop, '--fail-under', '5')).code, 0);
  }),
);

/** JUnit as a real parser reads it: `[name, failure message]` of each case. Python's expat; it is on every machine that runs these tests. */
function parseJunit(xml: string): { attributes: Record<string, string>; cases: [string, string | null][] } {
  const script = `import sys, json, xml.etree.ElementTree as t
r = t.fromstring(sys.stdin.buffer.read())
f = lambda c: None if c.find('failure') is None else c.find('failure').get('message')
print(json.dumps({'attributes': r.attrib, 'cases': [[c.get('name'), f(c)] for c in r.iter('testcase')]}))`;
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { input: xml, encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return JSON.parse(stdout);
}

test(
  '-o junit is XML with a case for each test, and for coverage',
  withScratch(async (_, write) => {
    const file = write('a.mesh-test.yaml', WRONG);
    const { code, out } = await run(file, ...shop, '-o', 'junit', '--fail-under', '90');
    assert.is(code, 1);
    const { attributes, cases } = parseJunit(out);
    assert.equal([attributes['tests'], attributes['failures']], ['3', '2']);
    assert.is(cases[0]?.[0], 'testers get v1 & <more>');
    assert.match(cases[0]?.[1] ?? '', /^destination: expected catalog subset v2, is 90 %/);
    assert.equal(cases[1], ['ratings have a timeout', null]);
    assert.match(cases[2]?.[1] ?? '', /^coverage is/);
  }),
);

test(
  '-o github annotates the expectation that does not hold',
  withScratch(async (_, write) => {
    const file = write('a.mesh-test.yaml', WRONG);
    const { out } = await run(file, ...shop, '-o', 'github');
    assert.match(
      out,
      /^::error file=[^:,]+a\.mesh-test\.yaml,line=7,col=18,title=testers get v1 & <more>::GET http:\/\/catalog\/[^\n]*%0A[^\n]*\n$/,
    );
  }),
);

test(
  '--record writes what explain says; it passes, and is not overwritten without --force',
  withScratch(async (folder) => {
    const file = join(folder, 'first.mesh-test.yaml');
    const urls = ['http://catalog/', 'http://delivery/a?b=c', 'http://shop.example.com/shop', 'tcp://ratings:80'];
    const record = (...more: string[]): ReturnType<typeof fairlead> => run('--record', ...urls, ...shop, '--write', file, ...more);
    const { code, out } = await record('-H', 'x-tester: yes');
    assert.is(code, 0);
    assert.match(out, /^4 tests written to /);
    const text = readFileSync(file, 'utf8');
    assert.match(text, /x-tester: "yes"/);
    assert.match(text, /subset: v2/);
    assert.is((await run(file, ...shop)).code, 0);
    const again = await record();
    assert.is(again.code, 2);
    assert.match(again.err, /is there already[\s\S]*--force/);
    assert.is(readFileSync(file, 'utf8'), text);
    assert.is((await record('--force')).code, 0);
    assert.not.match(readFileSync(file, 'utf8'), /x-tester/);
    const { out: printed } = await run('--record', 'http://ratings/', ...shop, '--write', '-', '--from', 'web');
    assert.match(printed, /from: web[\s\S]*timeout: 3s/);
  }),
);

test(
  "Envoy's tests are run with the proxy of a flag",
  withScratch(async (_, write) => {
    const file = write(
      'router.json',
      JSON.stringify({
        tests: [
          {
            test_name: 'orders',
            input: { authority: 'shop.example.com', path: '/orders/1', method: 'POST' },
            validate: { cluster_name: 'outbound|80||orders.default.svc.cluster.local', path_rewrite: '/orders/1' },
          },
        ],
      }),
    );
    const { code, out, err } = await run(file, ...shop, '--gateway', 'shop');
    assert.is(code, 0, out + err);
  }),
);

test(
  '--watch tests again after a save, and ends with the code of the last run',
  withScratch(async (_, write) => {
    const mesh = (timeout: string): string => `apiVersion: v1
kind: Service
metadata: { name: a }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [a], http: [{ timeout: ${timeout}, route: [{ destination: { host: a } }] }] }
`;
    const file = write('mesh/a.yaml', mesh('1s'));
    write('mesh/a.mesh-test.yaml', 'tests: [{ name: one, hosts: a, expect: { route: default } }]\n');
    const tests = write('mesh/b.mesh-test.yaml', 'tests: [{ name: two, hosts: a, expect: { outcome: no-endpoints } }]\n');
    const running = startFairlead(['test', join(file, '..'), '--watch']);
    const until = async (pattern: RegExp): Promise<void> => {
      const deadline = Date.now() + 20_000;
      while (!pattern.test(running.out() + running.err())) {
        assert.ok(Date.now() < deadline, `${pattern}: ${running.out()}${running.err()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    try {
      await until(/2 tests, 2 requests/);
      writeFileSync(tests, 'tests: [{ name: three, hosts: a, expect: {} }]\n');
      await until(/expects nothing/);
      writeFileSync(tests, 'tests: [{ name: three, hosts: a, expect: { status: 200 } }]\n');
      await until(/three[\s\S]*status[\s\S]*failed/);
      running.child.kill('SIGINT');
      assert.is(await running.ended, 1);
    } finally {
      running.child.kill('SIGKILL');
    }
  }),
);

test('schema mesh-test is a JSON Schema for editors', async () => {
  const { code, out } = await fairlead(['schema', 'mesh-test']);
  assert.is(code, 0);
  const schema = JSON.parse(out) as { $schema: string; properties: Record<string, object>; additionalProperties: boolean };
  assert.match(schema.$schema, /2020-12/);
  assert.equal(Object.keys(schema.properties), ['defaults', 'tests']);
  assert.is(schema.additionalProperties, false);
});

/** Each of these is one clear error: exit code, and words that must be in it. */
const refused: [string, string[], number, RegExp][] = [
  ['no tests', ['test/support', ...shop], 2, /there are no tests[\s\S]*--record/],
  ['a file that is not there', ['no/such.mesh-test.yaml', ...shop], 3, /no such file/],
  ['a configuration that is not there', ['-f', 'no/such/folder'], 3, /no\/such\/folder/],
  ['configuration in place of tests', [`${SHOP}/catalog.yaml`, ...shop], 3, /not tests[\s\S]*catalog\.yaml:3:1/],
  ['a filter that nothing passes', [SHOP, '--filter', 'zzz'], 2, /no test has "zzz" in its name/],
  ['a percentage that is none', [SHOP, '--fail-under', 'many'], 2, /percentage/],
  ['nothing to record', ['--record', ...shop], 2, /no URL/],
  ['a URL that is none', ['--record', 'http://a b/', ...shop, '--write', '-'], 2, /no URL/],
  ['a header that is none', ['--record', 'http://a/', '-H', 'x', ...shop, '--write', '-'], 2, /no header/],
  [
    'an unknown workload',
    ['--record', 'http://a/', '--from', 'nobody', ...shop, '--write', '-'],
    2,
    /no workload nobody[\s\S]*web\.default/,
  ],
  ['--write without --record', [SHOP, '--write', 'x'], 2, /--record/],
  ['a folder that cannot be written', ['--record', 'http://a/', ...shop, '--write', 'no/such/folder/a.yaml'], 3, /no\/such\/folder/],
];

for (const [name, args, code, words] of refused) {
  test(`refused: ${name}`, async () => {
    const ran = await run(...args);
    assert.is(ran.code, code, ran.out + ran.err);
    assert.match(ran.err, words);
    assert.not.match(ran.err, /\bat .*\.(?:ts|js):\d+/);
  });
}

test(
  'an unknown proxy in a test is told with the place of its name, and the names there are',
  withScratch(async (_, write) => {
    const file = write(
      'a.mesh-test.yaml',
      'tests:\n- { name: x, from: nobody, hosts: a, expect: { route: a } }\n- { name: z, gateway: none, hosts: a, expect: { route: a } }\n',
    );
    const { code, err } = await run(file, ...shop);
    assert.is(code, 3);
    assert.match(err, /no workload nobody[\s\S]*:2:20[\s\S]*web\.default[\s\S]*no gateway none[\s\S]*:3:23[\s\S]*shop\.default/);
  }),
);

test.run();
