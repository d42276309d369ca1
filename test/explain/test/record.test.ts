/** Property: what is recorded of a mesh passes on it, through the file's text, whatever the routes are; and fails when they change. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { meshViews } from '../../../src/cli/mesh-views.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { seededRandom } from '../../../src/explain/draw.ts';
import { explainConnection, explainRequest } from '../../../src/explain/explain.ts';
import { recordTest } from '../../../src/explain/test/record.ts';
import type { Case } from '../../../src/explain/test/types.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { recordedText } from '../../../src/output/route-test/recorded.ts';
import { runMeshTests, services } from './mesh-tests.ts';

const HOSTS = ['a', 'b', 'c'];

function randomMesh(random: () => number): string {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const maybe = (text: () => string): string => (random() < 0.35 ? `${text()}\n` : '');
  const destination = (): string => `{ destination: { host: ${pick(HOSTS)}${random() < 0.5 ? `, subset: ${pick(['v1', 'v2'])}` : ''} } }`;
  const target = (): string => {
    const ways = pick([1, 1, 2, 3]);
    if (ways === 1) return `    route: [${destination()}]\n`;
    const list = Array.from({ length: ways }, () => destination().replace(/ }$/, `, weight: ${1 + Math.floor(random() * 97)} }`));
    return `    route: [${list.join(', ')}]\n`;
  };
  const route = (i: number, last: boolean): string => {
    const path = pick(['/x', '/y', '/x/z']);
    const match = last
      ? ''
      : `    match: [{ uri: { prefix: ${path} }${random() < 0.4 ? ', headers: { h: { exact: "yes" } }' : ''}${random() < 0.2 ? ', method: { exact: POST }' : ''} }]\n`;
    const kind = random();
    if (kind < 0.12) return `  - name: r${i}\n${match}    redirect: { uri: /elsewhere, redirectCode: ${pick([301, 302, 307, 308])} }\n`;
    if (kind < 0.2)
      return `  - name: r${i}\n${match}    directResponse: { status: ${pick([200, 404, 503])}, body: { string: "on: {a} 'b'" } }\n`;
    return `  - name: r${i}
${match}${target()}${maybe(() => `    timeout: ${pick(['1s', '1500ms', '1m'])}`)}${maybe(() => `    rewrite: { uri: ${pick(['/', '/new'])}${random() < 0.5 ? ', authority: other.example' : ''} }`)}${maybe(
  () =>
    `    retries: { attempts: ${pick([1, 2, 5])}, perTryTimeout: 250ms, retryOn: "${pick(['5xx', 'gateway-error,reset', '503,connect-failure'])}" }`,
)}${maybe(() => `    mirrors: [{ destination: { host: ${pick(HOSTS)} }, percentage: { value: ${pick([100, 12.5, 0.5])} } }]`)}${maybe(
  () =>
    `    fault: { ${pick(['abort: { httpStatus: 418, percentage: { value: 100 } }', 'abort: { httpStatus: 500, percentage: { value: 0.7 } }', 'delay: { fixedDelay: 250ms, percentage: { value: 33.3 } }'])} }`,
)}${maybe(() => `    headers: { request: { set: { x-a: "yes" }, add: { x-b: "%PROTOCOL%" }, remove: [h] }, response: { set: { x-r: "0777" } } }`)}`;
  };
  return HOSTS.map(
    (host) => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${host} }
spec:
  hosts: [${host}]
  http:
${Array.from({ length: 4 }, (_, i) => route(i, i === 3)).join('')}`,
  ).join('');
}

function casesOf(): Case[] {
  const cases: Case[] = [];
  for (const host of [...HOSTS, 'nobody.example']) {
    for (const path of ['/', '/x', '/x/z?q=1', '/y', '/%7E']) {
      for (const headers of [[], [['h', 'yes']]] as [string, string][][]) {
        const method = path === '/y' ? 'POST' : 'GET';
        cases.push({ kind: 'request', host, request: { method, url: `http://${host}${path}`, headers } });
      }
    }
    cases.push({ kind: 'connection', host, connection: { host, port: 80 } });
  }
  return cases;
}

test('recorded tests pass on the mesh they were recorded from', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const mesh = services(...HOSTS) + randomMesh(seededRandom(seed));
    const { resources, problems } = await parseConfig(mesh, 'mesh.yaml');
    assert.equal(
      problems.filter((p) => p.severity === 'error').map((p) => p.message),
      [],
      `seed ${seed}`,
    );
    const views = meshViews(buildMesh(resources), 'mesh.yaml');
    const recorded = casesOf().map((one) => {
      const { view } = views.choose({}, one.host);
      const told = one.kind === 'request' ? explainRequest(view, one.request) : explainConnection(view, one.connection);
      return recordTest(one, {}, told);
    });
    const { report, problems: wrong } = await runMeshTests(mesh, recordedText(recorded));
    assert.equal(
      wrong.map((p) => p.message),
      [],
      `seed ${seed}`,
    );
    assert.is(report.requests, recorded.length);
    const failed = report.tests.find(({ passed }) => !passed);
    assert.is(failed, undefined, `seed ${seed}: ${JSON.stringify(failed, null, 1)}`);
  }
});

test('what was recorded fails on a mesh that does something else', async () => {
  const at = (weight: number, more = ''): string => `${services('a')}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [a]
  http:
  - route: [{ destination: { host: a, subset: v1 }, weight: ${weight} }, { destination: { host: a, subset: v2 }, weight: ${100 - weight} }]
${more}`;
  const { resources } = await parseConfig(at(90), 'mesh.yaml');
  const { view } = meshViews(buildMesh(resources), '').choose({}, 'a');
  const one: Case = { kind: 'request', host: 'a', request: { method: 'GET', url: 'http://a/' } };
  const text = recordedText([recordTest(one, {}, explainRequest(view, one.request))]);
  assert.is((await runMeshTests(at(90), text)).report.failed, 0);
  assert.is((await runMeshTests(at(89), text)).report.failed, 1);
  assert.is((await runMeshTests(at(90, '    fault: { abort: { httpStatus: 500, percentage: { value: 100 } } }\n'), text)).report.failed, 1);
});

test.run();
