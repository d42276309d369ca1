/** Each expectation holds where it should, and says what is wrong where it should not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runMeshTests, services } from './mesh-tests.ts';

const mesh = `${services('reviews', 'audit')}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
  - name: api
    match: [{ uri: { prefix: /api } }]
    rewrite: { uri: /v1, authority: backend.example }
    headers:
      request: { set: { x-team: blue }, remove: [x-secret] }
      response: { add: { x-served: mesh } }
    route: [{ destination: { host: reviews, subset: v1 } }]
    timeout: 2s
    retries: { attempts: 4, perTryTimeout: 500ms, retryOn: "5xx,reset" }
    mirrors: [{ destination: { host: audit }, percentage: { value: 25 } }]
    corsPolicy: { allowOrigins: [{ exact: https://shop.example }], allowMethods: [GET] }
  - name: moved
    match: [{ uri: { exact: /old } }]
    redirect: { uri: /new, redirectCode: 301 }
  - name: teapot
    match: [{ uri: { exact: /tea } }]
    directResponse: { status: 418, body: { string: "short and stout" } }
  - name: broken
    match: [{ uri: { prefix: /broken } }]
    fault:
      abort: { httpStatus: 503, percentage: { value: 10 } }
      delay: { fixedDelay: 1s, percentage: { value: 5 } }
    route: [{ destination: { host: reviews, subset: v2 } }]
  - name: split
    route:
    - { destination: { host: reviews, subset: v1 }, weight: 75 }
    - { destination: { host: reviews, subset: v2 }, weight: 25 }
`;

/** Path, headers if any, an expectation that holds, one that does not, and what is said of it: field, expected, actual. */
const cases: [string, string, string, string, [string, RegExp, RegExp]][] = [
  [
    '/api',
    '',
    'destination: reviews',
    'destination: audit',
    ['destination', /^audit$/, /^reviews\.default\.svc\.cluster\.local:80 subset v1$/],
  ],
  [
    '/api',
    '',
    'destination: { host: reviews.default, subset: v1, port: 80 }',
    'destination: { subset: v2 }',
    ['destination', /subset v2/, /subset v1/],
  ],
  [
    '/api',
    '',
    'destination: { host: reviews.default.svc.cluster.local }',
    'destination: { host: reviews.other }',
    ['destination', /reviews\.other/, /reviews\.default/],
  ],
  ['/api', '', 'destination: { port: 80 }', 'destination: { subset: "" }', ['destination', /without a subset/, /v1/]],
  [
    '/',
    '',
    'split: [{ subset: v1, weight: 3 }, { subset: v2, weight: 1 }]',
    'split: [{ subset: v1, weight: 90 }, { subset: v2, weight: 10 }]',
    ['split', /90 % .*10 %/, /75 % .*25 %/],
  ],
  ['/', '', 'outcome: forward', 'split: [{ subset: v1, weight: 1 }]', ['split', /100 % any service subset v1/, /25 %/]],
  ['/', '', 'outcome: forward', 'destination: reviews.other', ['destination', /other/, /75 % .*v1, 25 % .*v2/]],
  ['/api', '', "cluster: 'outbound|80|v1|reviews.default.svc.cluster.local'", 'cluster: ""', ['cluster', /^none$/, /outbound\|80\|v1/]],
  ['/api', '', 'route: api', 'route: split', ['route', /^split$/, /^api$/]],
  ['/api', '', "virtualHost: 'reviews.default.svc.cluster.local:80'", 'virtualHost: x', ['virtualHost', /^x$/, /reviews/]],
  ['/tea', '', 'outcome: direct-response', 'outcome: forward', ['outcome', /^forward$/, /^direct-response$/]],
  ['/tea', '', 'status: 418', 'status: 200', ['status', /^200$/, /^418$/]],
  ['/api', '', 'outcome: forward', 'status: 200', ['status', /^200$/, /the upstream answers/]],
  [
    '/tea',
    '',
    'response: { body: short and stout }',
    'response: { body: { contains: handle } }',
    ['response.body', /contains "handle"/, /short and stout/],
  ],
  [
    '/api',
    '',
    'response: { headers: { X-Served: mesh } }',
    'response: { withoutHeaders: [x-served] }',
    ['response.withoutHeaders.0', /no header x-served/, /"mesh"/],
  ],
  [
    '/api',
    '',
    'upstream: { path: /v1, host: backend.example, method: GET }',
    'upstream: { path: { regex: "/v[2-9].*" } }',
    ['upstream.path', /matches/, /"\/v1"/],
  ],
  [
    '/api',
    '{ x-secret: s }',
    'upstream: { headers: { x-team: { prefix: bl } }, withoutHeaders: [x-secret] }',
    'upstream: { headers: { x-team: red } }',
    ['upstream.headers.x-team', /"red"/, /"blue"/],
  ],
  [
    '/api',
    '',
    'upstream: { host: { suffix: .example } }',
    'upstream: { headers: { x-none: x } }',
    ['upstream.headers.x-none', /"x"/, /no such header/],
  ],
  ['/tea', '', 'status: 418', 'upstream: { path: /tea }', ['upstream', /a request to an upstream/, /418/]],
  ['/old', '', 'redirect: { status: 301, location: { suffix: /new } }', 'redirect: { status: 302 }', ['redirect.status', /302/, /301/]],
  ['/api', '', 'outcome: forward', 'redirect: { status: 301, location: /new }', ['redirect', /a redirect with 301 to "\/new"/, /reviews/]],
  [
    '/broken',
    '',
    'fault: { abort: { status: 503, percent: 10 }, delay: { duration: 1s, percent: 5 } }',
    'fault: { abort: { status: 500, percent: 10 }, delay: { duration: 1s, percent: 5 } }',
    ['fault.abort', /500 for 10 %/, /503 for 10 %/],
  ],
  [
    '/broken',
    '',
    'destination: { subset: v2 }',
    'fault: { abort: { status: 503, percent: 10 } }',
    ['fault', /delay: none/, /delay: 1 s for 5 %/],
  ],
  ['/api', '', 'fault: none', 'fault: { delay: { duration: 1s } }', ['fault.delay', /1 s for 100 %/, /none/]],
  ['/api', '', 'timeout: 2s', 'timeout: 2500ms', ['timeout', /2\.5 s/, /2 s/]],
  ['/', '', 'timeout: 0s', 'timeout: 1s', ['timeout', /1 s/, /none/]],
  [
    '/api',
    '',
    'retries: { attempts: 4, retryOn: [reset, 5xx], perTryTimeout: 500ms }',
    'retries: { attempts: 2 }',
    ['retries.attempts', /up to 2/, /up to 4/],
  ],
  ['/api', '', 'retries: { retryOn: "5xx,reset" }', 'retries: { retryOn: gateway-error }', ['retries.retryOn', /gateway-error/, /5xx/]],
  ['/api', '', 'mirror: { host: audit, percent: 25 }', 'mirror: none', ['mirror', /^none$/, /25 % to audit/]],
  ['/', '', 'mirror: none', 'mirror: [{ host: audit }]', ['mirror', /audit/, /none/]],
  ['/api', '{ origin: https://shop.example }', 'cors: allowed', 'cors: refused', ['cors', /refused/, /allowed/]],
  ['/api', '{ origin: https://evil.example }', 'cors: refused', 'cors: allowed', ['cors', /allowed/, /not allowed/]],
  ['/api', '', 'allowed: true', 'allowed: false', ['allowed', /denied/, /allowed: reviews/]],
  ['/api', '', 'allowed: true', 'policy: shop/viewer', ['policy', /shop\/viewer/, /no policy decides/]],
];

for (const [path, headers, right, wrong, [field, expected, actual]] of cases) {
  test(`${path}: ${right} holds, ${wrong} does not`, async () => {
    const one = (name: string, expect: string): string =>
      `- name: ${name}\n  hosts: reviews\n  paths: ${path}\n${headers === '' ? '' : `  headers: ${headers}\n`}  expect: { ${expect} }\n`;
    const { report, problems } = await runMeshTests(mesh, `tests:\n${one('right', right)}${one('wrong', wrong)}`);
    assert.equal(problems, []);
    assert.equal(report.tests[0]!.failures, []);
    const [failure] = report.tests[1]!.failures;
    const [said] = failure!.failures;
    assert.is(said!.field, field);
    assert.match(said!.expected, expected);
    assert.match(said!.actual, actual);
    // The expectation's own line.
    assert.is(said!.position.line, headers === '' ? 9 : 11);
    assert.ok(failure!.reasons.length > 0);
    assert.is(failure!.rule?.file, 'mesh.yaml');
  });
}

test('hosts, methods, paths and headers are multiplied', async () => {
  const { report } = await runMeshTests(
    mesh,
    `tests:
- name: many
  hosts: [reviews, reviews.default]
  methods: [GET, POST, PUT]
  paths: [/, /api, /x?y=1, /z]
  headers: [{}, { a: b }]
  expect: { route: split }
`,
  );
  assert.is(report.requests, 2 * 3 * 4 * 2);
  const [many] = report.tests;
  // Those to /api take another route.
  assert.is(many!.failed, 2 * 3 * 2);
  assert.is(many!.failures[0]!.asked, 'GET http://reviews/api');
});

test('connections are tested as well', async () => {
  const tcp = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: db }
spec:
  hosts: [db.example]
  addresses: [10.9.9.9]
  ports: [{ number: 5432, name: tcp, protocol: TCP }]
  resolution: STATIC
  endpoints: [{ address: 10.9.9.1 }]
`;
  const { report, problems } = await runMeshTests(
    tcp,
    `tests:
- { name: db, connections: ['db.example:5432', '10.9.9.9:5432'], expect: { outcome: forward } }
- { name: none, connections: 'db.example:1', expect: { destination: db.example } }
`,
  );
  assert.equal(problems, []);
  assert.is(report.tests[1]!.passed, false);
  assert.match(report.tests[1]!.failures[0]!.asked, /^tcp db\.example:1$/);
});

test.run();
