/** What is wrong with a file of tests is told with its place; nothing is ignored. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textFile } from '../../../src/config/text-file.ts';
import { readTests } from '../../../src/explain/test/read-tests.ts';
import { runMeshTests, services } from './mesh-tests.ts';

const one = (fields: string): string => `tests:\n- name: x\n  ${fields.split('\n').join('\n  ')}\n`;
const OK = 'expect: { route: x }';

/** The text, the rule that refuses it, the place, and what is said. */
const refused: [string, string, number, number, RegExp][] = [
  ['', 'test/empty', 1, 1, /no tests/],
  ['- a\n', 'schema/type', 1, 1, /a map with `tests`/],
  ['just text\n', 'schema/type', 1, 1, /map/],
  ['tests: []\n', 'schema/size', 1, 8, /must not be empty/],
  ['tests:\n- name: x\n  hosts: [a\n', 'yaml/syntax', 3, 12, /\]/],
  ['kind: VirtualService\napiVersion: networking.istio.io/v1\n', 'test/not-tests', 1, 1, /configuration \(VirtualService\)/],
  [one(`hosts: a\n${OK}\nexpects: {}`), 'schema/unknown-field', 5, 3, /no field `expects`/],
  [one('hosts: a\nexpect: { destinations: a }'), 'schema/unknown-field', 4, 13, /no field `destinations`/],
  [one('hosts: a\nexpect: { destination: { host: a, version: v1 } }'), 'schema/unknown-field', 4, 37, /no field `version`/],
  [one('hosts: a'), 'schema/required', 2, 3, /needs `expect`/],
  [one('hosts: a\nexpect: {}'), 'test/empty', 4, 3, /expects nothing/],
  [one('hosts: a\nexpect: { upstream: {} }'), 'test/empty', 4, 13, /`upstream` expects nothing/],
  [one(OK), 'schema/required', 2, 3, /needs `hosts` or `connections`/],
  [one(`hosts: 'a b'\n${OK}`), 'test/host', 3, 10, /no host/],
  [one(`hosts: [ok, 'ftp://a']\n${OK}`), 'test/host', 3, 15, /no http or https URL/],
  [one(`hosts: a/b\n${OK}`), 'test/host', 3, 10, /has a path in it/],
  [one(`hosts: a\npaths: x\n${OK}`), 'schema/pattern', 4, 10, /must match/],
  [one(`hosts: a\npaths: [/, '/a b']\n${OK}`), 'test/path', 4, 14, /no path/],
  [one(`hosts: a\nmethods: get\n${OK}`), 'test/method', 4, 12, /case-sensitive/],
  [one(`hosts: a\nheaders: { x: yes }\n${OK}`), 'schema/type', 4, 17, /string/],
  [one(`hosts: a\nheaders: { 'a b': c }\n${OK}`), 'schema/key', 4, 14, /key "a b"/],
  [one(`hosts: a\nheaders: { a: "b\\nc" }\n${OK}`), 'test/header', 4, 17, /control character/],
  [one(`hosts: a\nsourceIp: 1.2.3\n${OK}`), 'test/address', 4, 13, /no IP address/],
  [one(`hosts: a\nfrom: b\ngateway: c\n${OK}`), 'schema/one-of', 5, 3, /cannot be together/],
  [one(`connections: db\n${OK.replace('route: x', 'outcome: forward')}`), 'test/host', 3, 16, /no HOST:PORT/],
  [one('connections: db:1\nexpect: { status: 200 }'), 'test/connection', 4, 13, /about requests/],
  [one('hosts: a\nexpect: { timeout: 3 }'), 'schema/type', 4, 22, /duration/],
  [one('hosts: a\nexpect: { upstream: { path: { regex: "(" } } }'), 'test/regex', 4, 40, /no regular expression/],
  [one('hosts: a\nexpect: { fault: no }'), 'schema/type', 4, 20, /./],
  [one('hosts: a\nexpect: { fault: never }'), 'schema/enum', 4, 20, /never/],
];

for (const [text, rule, line, column, said] of refused) {
  test(`refused: ${JSON.stringify(text.slice(0, 90))}`, async () => {
    const { problems } = await readTests(textFile('a.mesh-test.yaml', text));
    const [first] = problems;
    assert.ok(first, 'a problem');
    assert.is(first.rule, rule, first.message);
    assert.equal(first.position, { file: 'a.mesh-test.yaml', line, column }, first.message);
    assert.match(first.message, said);
  });
}

test('every error of a file is told at once', async () => {
  const { problems } = await readTests(textFile('a', one(`hosts: ['a b', 'c d']\npaths: ['/x y']\n${OK}`)));
  assert.is(problems.length, 3);
});

const mesh = `${services('reviews')}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
  - match: [{ uri: { prefix: /old } }]
    redirect: { uri: /new, redirectCode: 302 }
  - name: split
    headers: { request: { set: { x-team: blue } } }
    rewrite: { uri: /v1 }
    route:
    - { destination: { host: reviews, subset: v1 }, weight: 60 }
    - { destination: { host: reviews, subset: v2 }, weight: 40 }
`;
const v1 = 'outbound|80|v1|reviews.default.svc.cluster.local';
const v2 = 'outbound|80|v2|reviews.default.svc.cluster.local';

const envoy = (input: string, validate: string): string =>
  JSON.stringify(
    {
      tests: [
        {
          test_name: 'x',
          input: { authority: 'reviews', path: '/a', method: 'GET', ...JSON.parse(input) },
          validate: JSON.parse(validate),
        },
      ],
    },
    null,
    1,
  );

test("Envoy's own tests are judged, the random value among weights too", async () => {
  const held: [string, object][] = [
    ['{"random_value": 59}', { cluster_name: v1, virtual_host_name: 'reviews.default.svc.cluster.local:80' }],
    ['{"random_value": 60}', { cluster_name: v2 }],
    ['{"random_value": 160}', { cluster_name: v2 }],
    ['{}', { cluster_name: v1, path_rewrite: '/v1a', host_rewrite: 'reviews', path_redirect: '' }],
    [
      '{}',
      {
        request_header_matches: [
          { name: 'x-team', string_match: { exact: 'blue' } },
          { name: 'x-none', present_match: true, invert_match: true },
        ],
      },
    ],
    [
      '{"additional_request_headers": [{"key": "a", "value": "b"}]}',
      {
        request_header_fields: [{ key: 'a', value: 'b' }],
        request_header_matches: [{ name: ':path', string_match: { safe_regex: { regex: '/v\\da' } } }],
      },
    ],
    ['{"path": "/old"}', { path_redirect: 'http://reviews/new', code_redirect: 302, cluster_name: '' }],
  ];
  for (const [input, validate] of held) {
    const { report, problems } = await runMeshTests(mesh, envoy(input, JSON.stringify(validate)), 'a.json');
    assert.equal(problems, []);
    assert.equal(report.tests[0]!.failures, [], input);
  }
  const { report } = await runMeshTests(
    mesh,
    envoy('{"random_value": 99}', JSON.stringify({ cluster_name: v1, path_redirect: '/x', path_rewrite: '' })),
    'a.json',
  );
  assert.equal(report.tests[0]!.failures[0]!.failures.map(({ field, position }) => [field, position.line]).sort(), [
    ['cluster', 12],
    ['path_rewrite', 14],
    ['redirect', 13],
  ]);
});

/** What is added to a test of Envoy's, and the field that is refused. */
const unjudged: [string, string, string][] = [
  ['{"internal": true}', '{"cluster_name": ""}', 'internal'],
  ['{"runtime": "a.b"}', '{"cluster_name": ""}', 'runtime'],
  ['{"additional_response_headers": [{"key": "a", "value": "b"}]}', '{"cluster_name": ""}', 'additional_response_headers'],
  ['{"dynamic_metadata": [{"metadata_namespace": "a"}]}', '{"cluster_name": ""}', 'dynamic_metadata'],
  ['{}', '{"virtual_cluster_name": "x"}', 'virtual_cluster_name'],
];

for (const [input, validate, field] of unjudged) {
  test(`what an explanation cannot tell of Envoy's tests is refused: ${field}`, async () => {
    const text = envoy(input, validate);
    const { problems } = await readTests(textFile('a.json', text));
    assert.is(problems[0]?.rule, 'test/cannot-judge');
    assert.match(problems[0]!.message, new RegExp(`\`${field}\``));
    assert.is(problems[0]!.position?.line, text.split('\n').findIndex((line) => line.includes(`"${field}"`)) + 1);
  });
}

test("Envoy's tests in their old form, with unknown fields or without a matcher's name are refused", async () => {
  const rules = async (text: string): Promise<string[]> => (await readTests(textFile('a.json', text))).problems.map((p) => p.rule);
  assert.equal(await rules('[{"test_name": "x", "input": {":authority": "a", ":path": "/"}, "validate": {}}]'), ['test/old-envoy-form']);
  assert.equal(await rules(envoy('{"host": "x"}', '{"cluster_name": ""}')), ['schema/unknown-field']);
  assert.equal(await rules(envoy('{}', '{"request_header_matches": [{"present_match": true}]}')), ['schema/required']);
  assert.equal(await rules(envoy('{}', '{"request_header_matches": [{"name": "a", "exactly": "b"}]}')), ['schema/unknown-field']);
  assert.equal(await rules(envoy('{}', '{}')), ['test/empty']);
  assert.equal(
    await rules(
      'runtime: { a.b: 1 }\ntests: [{ test_name: x, input: { authority: a, path: /, method: GET }, validate: { cluster_name: "" } }]\n',
    ),
    ['test/cannot-judge'],
  );
});

test.run();
