/** Which proxies an object concerns, and what is said of it then. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concerned } from '../../../agent/cluster-status/concerned.ts';
import type { Taken } from '../../../agent/cluster-status/digest.ts';
import { countTaken, type ObjectFacts, reconciled } from '../../../agent/cluster-status/istio-condition.ts';
import type { ReportedProxy } from '../../../agent/cluster-status/reports.ts';
import { everyProxy } from '../../../src/mesh/proxies.ts';
import type { Mesh } from '../../../src/mesh/types.ts';
import { doc as document, meshOf } from '../../mesh/fixture.ts';

const doc = (kind: string, name: string, body: string, namespace: string): string => document(kind, `${name}.${namespace}`, body);

const all: Taken = { has: () => true };

function reported(mesh: Mesh, taken: Taken | undefined = all): ReportedProxy[] {
  return everyProxy(mesh)
    .filter(({ workload }) => workload.kind !== 'implied')
    .map((node) => ({ name: `${node.name}.${node.namespace}`, node, taken }));
}

/** The names of the proxies that each object of a kind concerns. */
function byName(mesh: Mesh, kind: string): Record<string, string[]> {
  const of = concerned(mesh, reported(mesh));
  return Object.fromEntries(
    mesh.ofKind(kind).map((resource) => [
      resource.metadata.name,
      [...of(resource).byState.values()]
        .flat()
        .map(({ name }) => name)
        .sort(),
    ]),
  );
}

const entry = (name: string, namespace: string, labels = '{}'): string =>
  doc('WorkloadEntry', name, `spec: {address: 10.0.0.${name.length}, labels: ${labels}}`, namespace);
const workloads =
  entry('a', 'one', '{app: a}') + entry('bb', 'one', '{app: b}') + entry('ccc', 'two', '{app: a}') + entry('gate', 'edge', '{istio: gw}');
const rule = 'http: [{route: [{destination: {host: a.example.com}}]}]';

test('VirtualServices: those that see them, gateways by the Gateways that are named, delegates by their roots', async () => {
  const mesh = await meshOf(
    workloads +
      doc(
        'Gateway',
        'gw',
        'spec: {selector: {istio: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}',
        'edge',
      ) +
      doc('VirtualService', 'public', `spec: {hosts: [p.example.com], ${rule}}`, 'one') +
      doc('VirtualService', 'own', `spec: {hosts: [o.example.com], exportTo: ["."], ${rule}}`, 'one') +
      doc('VirtualService', 'hidden', `spec: {hosts: [h.example.com], exportTo: [elsewhere], ${rule}}`, 'one') +
      doc('VirtualService', 'edge', `spec: {hosts: [e.example.com], gateways: [edge/gw], ${rule}}`, 'edge') +
      doc(
        'VirtualService',
        'root',
        'spec: {hosts: [r.example.com], gateways: [edge/gw], http: [{delegate: {name: leaf, namespace: edge}}]}',
        'edge',
      ) +
      doc('VirtualService', 'leaf', `spec: {${rule}}`, 'edge'),
  );
  const found = byName(mesh, 'VirtualService');
  assert.equal(found['own'], ['a.one', 'bb.one']);
  assert.equal(found['hidden'], []);
  assert.equal(found['edge'], ['gate.edge']);
  assert.equal(found['leaf'], ['gate.edge']);
  assert.ok(['a.one', 'bb.one', 'ccc.two'].every((name) => found['public']?.includes(name)));
});

test('policies: by namespace and selector, those of the root namespace everywhere', async () => {
  const policy = (name: string, namespace: string, labels?: string): string =>
    doc('AuthorizationPolicy', name, `spec: {${labels ? `selector: {matchLabels: ${labels}}, ` : ''}rules: [{}]}`, namespace).replace(
      'networking.istio.io/v1',
      'security.istio.io/v1',
    );
  const mesh = await meshOf(
    workloads +
      policy('selected', 'one', '{app: a}') +
      policy('namespace', 'one') +
      policy('nobody', 'one', '{app: x}') +
      policy('mesh', 'istio-system', '{app: a}'),
  );
  assert.equal(byName(mesh, 'AuthorizationPolicy'), {
    mesh: ['a.one', 'ccc.two'],
    namespace: ['a.one', 'bb.one'],
    nobody: [],
    selected: ['a.one'],
  });
});

test('rules with a workloadSelector, Sidecars, entries that are exported', async () => {
  const mesh = await meshOf(
    workloads +
      doc('DestinationRule', 'for-a', 'spec: {host: x.example.com, workloadSelector: {matchLabels: {app: a}}}', 'one') +
      doc('DestinationRule', 'for-two', 'spec: {host: x.example.com, exportTo: [two]}', 'one') +
      doc(
        'ServiceEntry',
        'own',
        'spec: {hosts: [x.example.com], exportTo: ["."], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}',
        'two',
      ) +
      doc('Sidecar', 'chosen', 'spec: {workloadSelector: {labels: {app: a}}, egress: [{hosts: ["*/*"]}]}', 'one') +
      doc('Sidecar', 'rest', 'spec: {egress: [{hosts: ["*/*"]}]}', 'one'),
  );
  assert.equal(byName(mesh, 'DestinationRule'), { 'for-a': ['a.one'], 'for-two': ['ccc.two'] });
  assert.equal(byName(mesh, 'ServiceEntry'), { own: ['ccc.two'] });
  assert.equal(byName(mesh, 'Sidecar'), { chosen: ['a.one'], rest: ['bb.one'] });
});

test('proxies that have taken nothing yet are not counted', async () => {
  const mesh = await meshOf(workloads + doc('Sidecar', 'rest', 'spec: {egress: [{hosts: ["*/*"]}]}', 'one'));
  const [sidecar] = mesh.ofKind('Sidecar');
  const half = reported(mesh).map((proxy) => (proxy.name === 'a.one' ? { ...proxy, taken: undefined } : proxy));
  assert.equal(countTaken(concerned(mesh, half)(sidecar!), { uid: 'u', generation: 1 }), { taken: 1, all: 1, without: [] });
});

test('what is said, worst first', () => {
  const proxy = (name: string, taken: Taken): [Taken, ReportedProxy[]] => [taken, [{ name } as ReportedProxy]];
  const behind: Taken = { has: () => false };
  const facts = (more: Partial<ObjectFacts>): ObjectFacts => ({
    current: { uid: 'u', generation: 2 },
    proxies: { all: 2, byState: new Map([proxy('a.one', all), proxy('b.one', behind)]) },
    refusals: [],
    invalid: [],
    blockedBy: undefined,
    unsupported: undefined,
    partly: [],
    ...more,
  });
  const say = (more: Partial<ObjectFacts>): string => {
    const said = reconciled(facts(more));
    return said === undefined ? 'nothing' : `${said.status} ${said.reason}: ${said.message}`;
  };
  const taken = { all: 1, byState: new Map([proxy('a.one', all)]) };
  assert.is(say({}), 'False Pending: applied by 1 of 2 proxies; not by b.one');
  assert.is(say({ proxies: taken }), 'True Applied: applied by 1 of 1 proxy');
  assert.is(say({ proxies: taken, partly: ['x', 'x', 'y'] }), 'True PartlyApplied: applied by 1 of 1 proxy; not carried out: x; y');
  assert.is(say({ proxies: { all: 0, byState: new Map() } }), 'Unknown NoProxies: it concerns none of the proxies that there are');
  assert.is(say({ unsupported: 'no' }), 'False Unsupported: no');
  const refusal = { rule: 'r', message: 'port' };
  assert.is(say({ refusals: [{ ...refusal, proxy: 'b.one' }] }), 'False Refused: refused by 1 proxy: port');
  assert.is(say({ refusals: [refusal] }), 'False Refused: port');
  assert.is(say({ invalid: ['regex'], refusals: [refusal] }), 'False Invalid: regex');
  assert.is(say({ current: undefined }), 'nothing');
  assert.is(
    say({ current: undefined, blockedBy: 'AuthorizationPolicy a/b' }),
    'False Blocked: the whole configuration waits, because AuthorizationPolicy a/b is refused',
  );
});

test.run();
