/** Access log expressions: the filters made of them decide as CEL does, in the embedded proxy and in the real Envoy. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { logFilter } from '../../src/envoy/log-filter.ts';
import { headerView } from '../../src/routing/header-view.ts';
import { ProblemList } from '../../src/routing/problems.ts';
import { compileAccessLogFilter } from '../../src/telemetry/access-log-filter.ts';
import { compileCel } from '../../src/telemetry/cel/attributes.ts';
import { parseCel } from '../../src/telemetry/cel/parse.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { startBackend } from '../support/backend.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient, until } from '../support/http.ts';
import { service, testPort, workload } from '../support/mesh.ts';
import { requestRecord } from '../support/record.ts';
import { runEmbedded, runEnvoy } from './support/two-proxies.ts';

const filterOf = (expression: string): ((record: RequestRecord) => boolean) => {
  const json = logFilter(expression);
  if (typeof json === 'string') throw new Error(`${expression}: ${json}`);
  const problems = new ProblemList();
  const filter = compileAccessLogFilter(json, 'filter', problems)!;
  assert.equal(problems.all, []);
  return (record) => {
    const headers = Object.entries({ ':method': record.method, ':path': record.path, ...record.requestHeaders }).flat();
    return filter({ ...record, request: headerView(headers) });
  };
};

const celOf = (expression: string): ((record: RequestRecord) => boolean) => {
  const node = parseCel(expression);
  if ('message' in node) throw new Error(node.message);
  const compiled = compileCel(node, new Set());
  if (typeof compiled === 'string') throw new Error(compiled);
  return (record) => compiled(record) === true;
};

/** A random number generator with a seed, so that a failure can be seen again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('filters decide as the expressions do, over random ones', () => {
  const random = seeded(7);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const atom = (): string =>
    pick([
      () => `response.code ${pick(['==', '!=', '<', '<=', '>', '>='])} ${pick([0, 1, 200, 399, 400, 503])}`,
      () => `${pick([200, 400])} ${pick(['<', '>=', '=='])} response.code`,
      () => `response.code in [${pick(['200', '200, 404', '503, 500'])}]`,
      () => `request.headers['x-a'] ${pick(['==', '!='])} '${pick(['one', 'two'])}'`,
      () => `request.headers['x-a'].${pick(['startsWith', 'endsWith', 'contains'])}('${pick(['o', 'e', 'tw'])}')`,
      () => `has(${pick(["request.headers['x-a']", 'response.code'])})`,
      () => `request.method ${pick(['==', '!='])} 'GET'`,
    ])();
  const expression = (depth: number): string =>
    depth === 0 || random() < 0.3
      ? atom()
      : pick([() => `(${expression(depth - 1)} ${pick(['&&', '||'])} ${expression(depth - 1)})`, () => `!(${expression(depth - 1)})`])();
  for (let i = 0; i < 2000; i++) {
    const text = expression(3);
    const [filter, cel] = [filterOf(text), celOf(text)];
    for (const status of [0, 200, 404, 503]) {
      for (const header of [undefined, 'one', 'two']) {
        const record = requestRecord({ status, method: pick(['GET', 'POST']), ...(header && { requestHeaders: { 'x-a': header } }) });
        assert.is(filter(record), cel(record), `${text} for ${status}, ${header}, ${record.method}`);
      }
    }
  }
});

test('what filters cannot say is refused with a reason', () => {
  const why = (expression: string): unknown => logFilter(expression);
  assert.is(why('connection.mtls'), 'connection.mtls is not something that access log filters decide by');
  assert.is(why('response.code >= 400 &&'), 'the expression ends too early, at position 24');
  assert.is(why("request.headers['a'] > 'b'"), 'request.headers.a is compared with texts by == and !=');
  assert.is(why("response.code == '200'"), 'response.code is compared with whole numbers');
  assert.is(why('size(request.path) > 3'), 'it must compare an attribute with a literal');
  assert.is(why("request.path.matches('a')"), 'the function matches is not something that access log filters do here');
  assert.is(why('response.code # 3'), 'this is not understood, at position 15');
});

const envoy = realEnvoy();

async function linesOf(engine: 'embedded' | 'envoy'): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  const file = join(folder, 'access.log');
  const backend = await startBackend('web');
  backend.handler = (request, response) => request.resume().on('end', () => response.writeHead(Number(request.url?.slice(1, 4))).end());
  const mesh = `${service('web')}${workload('web-1', { app: 'web' }, backend.port)}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec: { hosts: [web], http: [{ retries: { attempts: 0 }, route: [{ destination: { host: web } }] }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    extensionProviders:
    - name: file
      envoyFileAccessLog:
        path: ${file}
        logFormat: { labels: { code: "%RESPONSE_CODE%", path: "%REQ(:PATH)%", user: "%REQ(X-USER)%" } }
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: log, namespace: istio-system }
spec:
  accessLogging:
  - providers: [{ name: file }]
    filter: { expression: "response.code >= 400 && !(request.headers['x-user'] == 'probe') || request.path.startsWith('/299')" }
`;
  const proxy =
    engine === 'embedded' ? await runEmbedded(mesh, testPort()) : await runEnvoy((envoy as { path: string }).path, mesh, testPort());
  const read = (): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((l) => l !== '');
  const client = createClient(proxy.httpProxy);
  try {
    for (const [path, user] of [
      ['/200', 'mary'],
      ['/404', 'mary'],
      ['/404', 'probe'],
      ['/500', ''],
      ['/299', 'probe'],
      ['/503', 'last'],
    ] as const)
      await client.get(`http://web${path}`, user === '' ? {} : { 'x-user': user });
    await until('the last line is written', () => read().some((l) => l.includes('last')), 15_000);
    return read();
  } finally {
    client.close();
    await proxy.close();
    await backend.close();
    rmSync(folder, { recursive: true });
  }
}

const EXPECTED = [
  '{"code":404,"path":"/404","user":"mary"}',
  '{"code":299,"path":"/299","user":"probe"}',
  '{"code":503,"path":"/503","user":"last"}',
];

test('the embedded proxy logs what the expression says', async () => {
  assert.equal(await linesOf('embedded'), EXPECTED);
});

if ('missing' in envoy) test.skip(`Envoy logs what the expression says (no Envoy: ${envoy.missing})`, () => undefined);
else
  test('Envoy logs what the expression says', async () => {
    assert.equal(await linesOf('envoy'), EXPECTED);
  });

test.run();
