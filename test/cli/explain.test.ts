/** `fairlead explain` as people and scripts use it: the built command line. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Explanation } from '../../src/explain/types.ts';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const shop = ['-f', 'examples/shop/mesh'];
const explain = (...args: string[]): ReturnType<typeof fairlead> => fairlead(['explain', ...args]);

test('tells every step with file, line and column, and exits 0', async () => {
  const { code, out, err } = await explain('http://catalog/', ...shop, '-H', 'x-tester: no');
  assert.is(code, 0, err);
  assert.match(out, /examples\/shop\/mesh\/catalog\.yaml:54:5/);
  assert.match(out, /90 % {2}catalog\.default\.svc\.cluster\.local:80 subset v1/);
  assert.match(out, /asks that header x-tester is "yes"; the request has "no"/);
  assert.not.ok(out.includes('\u001b'));
});

test('-o json is one document with the documented fields', async () => {
  const { code, out } = await explain('POST', 'http://orders/', ...shop, '-o', 'json');
  assert.is(code, 0);
  const told = JSON.parse(out) as Explanation;
  assert.is(told.version, 1);
  assert.is(told.outcomes[0]?.mirrors[0]?.cluster, 'outbound|80||audit.default.svc.cluster.local');
  assert.is(told.steps.find((s) => s.kind === 'route')?.origin?.line, 48);
});

test('the same seed draws the same numbers', async () => {
  const draws = async (): Promise<string> => (await explain('http://catalog/', ...shop, '--times', '500', '--seed', '7')).out;
  const [first, second] = [await draws(), await draws()];
  assert.is(first, second);
  assert.match(first, /500 requests/);
});

test('a host that only a gateway serves is explained through the gateway, and that is said', async () => {
  const { code, out } = await explain('http://shop.example.com/catalog', ...shop);
  assert.is(code, 0);
  assert.match(out, /through ingressgateway\.default/);
  assert.match(out.replace(/\s+/g, ' '), /the gateway ingressgateway\.default serves it/);
});

test('--all lists hosts, ports and paths behind a gateway, with their lines', async () => {
  const { code, out } = await explain('--all', '--gateway', 'shop', ...shop);
  assert.is(code, 0);
  assert.match(
    out,
    /shop\.example\.com +18000 HTTP +\/catalog\* +- +catalog\.default\.svc\.cluster\.local:80 subset v1 +\S+gateway\.yaml:23:7/,
  );
  const { out: json } = await explain('--all', '--gateway', 'shop', ...shop, '-o', 'json');
  assert.is((JSON.parse(json) as unknown[]).length, 3);
});

test('pictures are Graphviz and Mermaid', async () => {
  const { out: dot } = await explain('http://catalog/', ...shop, '-o', 'dot');
  assert.match(dot, /^digraph explanation \{[\s\S]*label="90 %"[\s\S]*\}\n$/);
  const { out: mermaid } = await explain('http://catalog/', ...shop, '-o', 'mermaid');
  assert.match(mermaid, /^flowchart TD\n/);
});

/** Each of these is one clear error: exit code, and words that must be in it. */
const refused: [string, string[], number, RegExp][] = [
  ['no URL', shop, 2, /no URL/],
  ['a scheme that is none', ['ftp://x/', ...shop], 2, /no http or https URL/],
  ['a URL with a space', ['http://a b/', ...shop], 2, /space/],
  ['a URL without a host', ['http:///x', ...shop], 2, /names no host/],
  ['a port that is none', ['http://x:99999/', ...shop], 2, /optional port/],
  ['a method that is none', ['GE T', 'http://x/', ...shop], 2, /no method/],
  ['a header without a colon', ['http://x/', '-H', 'novalue', ...shop], 2, /no header/],
  ['a header with a bad name', ['http://x/', '-H', 'a b: c', ...shop], 2, /no name of a header/],
  ['claims that are no JSON', ['http://x/', '--jwt-claims', '{', ...shop], 2, /not JSON/],
  ['claims that are no object', ['http://x/', '--jwt-claims', '[1]', ...shop], 2, /JSON object/],
  ['an address that is none', ['http://x/', '--source-ip', '1.2.3', ...shop], 2, /IP address/],
  ['an unknown workload', ['http://x/', '--from', 'nobody', ...shop], 2, /no workload nobody[\s\S]*web\.default/],
  ['an unknown gateway', ['http://x/', '--gateway', 'nobody', ...shop], 2, /no gateway nobody[\s\S]*shop\.default/],
  ['too many words', ['GET', 'http://x/', 'y', ...shop], 2, /one word too many/],
  ['a connection without a port', ['tcp', 'mysql', ...shop], 2, /host and a port/],
  ['a connection to port 0', ['tcp', 'mysql', '0', ...shop], 2, /no port/],
  ['a header for a connection', ['tcp', 'mysql', '3306', '-H', 'a: b', ...shop], 2, /about requests/],
  ['--all with a URL', ['http://x/', '--all', ...shop], 2, /takes no URL/],
  ['a folder that is not there', ['http://x/', '-f', 'no/such/folder'], 3, /no\/such\/folder/],
  ['a dump that is not there', ['http://x/', '--file', 'no-such-dump.json'], 3, /no such file/],
  ['a dump of another tool', ['http://x/', '--file', 'package.json'], 3, /not an Envoy config dump/],
  ['no agent', ['http://x/', '--agent', 'unix:/nowhere/socket'], 3, /no agent answers/],
];

for (const [name, args, exit, words] of refused) {
  test(`refuses ${name}`, async () => {
    const { code, out, err } = await explain(...args);
    assert.is(code, exit, err);
    assert.match(err, words);
    assert.not.match(err, /at .*\.js:\d+|internal error/);
    assert.is(out, '');
  });
}

test(
  'an empty mesh is said to be empty',
  withScratch(async (folder, write) => {
    write('empty.yaml', '');
    const { code, err } = await explain('http://x/', '-f', folder);
    assert.is(code, 3);
    assert.match(err, /nothing to explain/);
  }),
);

test.run();
