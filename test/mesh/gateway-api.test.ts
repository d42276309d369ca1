/** The status of the Gateway API's objects: conditions, reasons and the lines that they are about. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Condition, classStatus, gatewayStatus, routeStatus } from '../../src/mesh/gateway-api/status.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { doc, meshOf } from './fixture.ts';

const api = (kind: string, name: string, spec: string): string =>
  doc(kind, name, `spec: ${spec}`).replace('networking.istio.io', 'gateway.networking.k8s.io');
const gateway = (listeners: string, name = 'web'): string =>
  api('Gateway', name, `{gatewayClassName: fairlead, listeners: [${listeners}]}`);
const http = '{name: http, port: 80, protocol: HTTP}';
const service = doc('Service', 'a', 'spec: {ports: [{name: http, port: 80}]}');
const route = (spec: string, name = 'r', kind = 'HTTPRoute'): string => api(kind, name, spec);
const toA = 'rules: [{backendRefs: [{name: a, port: 80}]}]';

const short = (conditions: readonly Condition[]): string => conditions.map((c) => `${c.type}=${c.status}:${c.reason}`).join(' ');

function listenersOf(mesh: Mesh): string[] {
  const status = gatewayStatus(mesh.gatewayApi.gateways[0]!, mesh);
  return status!.listeners.map((l) => `${l.name} ${l.attachedRoutes} ${short(l.conditions)}`);
}

const routeOf = (mesh: Mesh): string[] => routeStatus(mesh.gatewayApi.routes[0]!).parents.map((p) => short(p.conditions));
const problemsOf = (mesh: Mesh): string[] => mesh.problems.map((p) => `${p.rule} ${p.path}`);

test('all is well', async () => {
  const mesh = await meshOf(service + gateway(http) + route(`{parentRefs: [{name: web}], ${toA}}`));
  assert.equal(short(gatewayStatus(mesh.gatewayApi.gateways[0]!, mesh)!.conditions), 'Accepted=True:Accepted Programmed=True:Programmed');
  assert.equal(listenersOf(mesh), [
    'http 1 Accepted=True:Accepted ResolvedRefs=True:ResolvedRefs Programmed=True:Programmed Conflicted=False:NoConflicts',
  ]);
  assert.equal(routeOf(mesh), ['Accepted=True:Accepted ResolvedRefs=True:ResolvedRefs']);
  assert.equal(problemsOf(mesh), []);
});

test('of a Gateway whose class is another controller’s there is no status, nor is one said to be missing', async () => {
  const mesh = await meshOf(
    api('GatewayClass', 'other', '{controllerName: example.com/other}') +
      gateway(http).replace('fairlead', 'other') +
      route(`{parentRefs: [{name: web}], ${toA}}`),
  );
  assert.is(gatewayStatus(mesh.gatewayApi.gateways[0]!, mesh), undefined);
  assert.is(classStatus(mesh.ofKind('gateway.networking.k8s.io/GatewayClass')[0] as never), undefined);
  assert.equal(routeOf(mesh), []);
  assert.equal(problemsOf(mesh), []);
});

test('a parent of a kind that routes do not attach to is named with its group, which may be all that is wrong', async () => {
  const mesh = await meshOf(
    service + gateway(http) + route(`{parentRefs: [{name: web}, {group: "", name: web}, {kind: Pod, name: web}], ${toA}}`),
  );
  const [first, second] = mesh.problems;
  assert.equal(problemsOf(mesh), [
    'gateway-api/no-matching-parent spec.parentRefs[1].group',
    'gateway-api/no-matching-parent spec.parentRefs[2].kind',
  ]);
  assert.match(first?.message ?? '', /not to a Gateway of the core group/);
  assert.match(second?.message ?? '', /not to a Pod of gateway\.networking\.k8s\.io/);
});

test('a class that nobody knows', async () => {
  const mesh = await meshOf(gateway(http).replace('fairlead', 'nginx'));
  assert.equal(problemsOf(mesh), ['gateway-api/unknown-class spec.gatewayClassName']);
});

test('listeners in each other’s way, and of protocols that are not served', async () => {
  const mesh = await meshOf(
    gateway(
      `${http}, {name: twin, port: 80, protocol: HTTP}, {name: tcp, port: 81, protocol: TCP}, {name: http-too, port: 81, protocol: HTTP}, {name: udp, port: 82, protocol: UDP}, {name: good, port: 83, protocol: HTTP}`,
    ),
  );
  assert.equal(
    listenersOf(mesh).map((l) => /^(\S+).*Accepted=(\S+).*Conflicted=(\S+)$/.exec(l)!.slice(1).join(' ')),
    [
      'http False:HostnameConflict True:HostnameConflict',
      'twin False:HostnameConflict True:HostnameConflict',
      'tcp False:ProtocolConflict True:ProtocolConflict',
      'http-too False:ProtocolConflict True:ProtocolConflict',
      'udp False:UnsupportedProtocol False:NoConflicts',
      'good True:Accepted False:NoConflicts',
    ],
  );
  assert.equal(
    short(gatewayStatus(mesh.gatewayApi.gateways[0]!, mesh)!.conditions),
    'Accepted=True:ListenersNotValid Programmed=True:Programmed',
  );
});

test('certificates: missing, not granted, of no Secret', async () => {
  const tls = (name: string, ref: string): string =>
    `{name: ${name}, port: 443, protocol: HTTPS, hostname: ${name}.test, tls: {certificateRefs: [${ref}]}}`;
  const mesh = await meshOf(
    gateway([tls('a', '{name: gone}'), tls('b', '{name: far, namespace: other}'), tls('c', '{name: c, kind: ConfigMap}')].join(', ')),
  );
  assert.equal(
    listenersOf(mesh).map((l) => /ResolvedRefs=\S+ Programmed=\S+/.exec(l)![0]),
    [
      'ResolvedRefs=False:InvalidCertificateRef Programmed=True:Programmed',
      'ResolvedRefs=False:RefNotPermitted Programmed=False:Invalid',
      'ResolvedRefs=False:InvalidCertificateRef Programmed=False:Invalid',
    ],
  );
});

const refusals: readonly (readonly [what: string, mesh: string, status: string, problem: string])[] = [
  [
    'no such Gateway',
    route(`{parentRefs: [{name: nobody}], ${toA}}`),
    'False:NoMatchingParent',
    'gateway-api/no-matching-parent spec.parentRefs[0].name',
  ],
  [
    'no such listener',
    route(`{parentRefs: [{name: web, sectionName: x}], ${toA}}`),
    'False:NoMatchingParent',
    'gateway-api/no-matching-parent spec.parentRefs[0].sectionName',
  ],
  [
    'no such port',
    route(`{parentRefs: [{name: web, port: 9}], ${toA}}`),
    'False:NoMatchingParent',
    'gateway-api/no-matching-parent spec.parentRefs[0].port',
  ],
  [
    'another namespace',
    route(`{parentRefs: [{name: web, namespace: default}], ${toA.replace('name: a', 'name: a, namespace: default')}}`, 'r.other'),
    'False:NotAllowedByListeners',
    'gateway-api/not-allowed-by-listeners spec.parentRefs[0]',
  ],
  [
    'another kind',
    route('{parentRefs: [{name: web}], rules: [{backendRefs: [{name: a, port: 80}]}]}', 'r', 'TCPRoute'),
    'False:NotAllowedByListeners',
    'gateway-api/not-allowed-by-listeners spec.parentRefs[0]',
  ],
];

for (const [what, text, status, problem] of refusals) {
  test(`a route that is not accepted: ${what}`, async () => {
    const mesh = await meshOf(service + gateway(http) + text);
    assert.match(routeOf(mesh)[0]!, `Accepted=${status}`);
    assert.is(problemsOf(mesh)[0], problem);
    assert.is(listenersOf(mesh)[0]?.split(' ')[1], '0');
  });
}

test('hostnames that the listener has not', async () => {
  const mesh = await meshOf(
    service +
      gateway('{name: http, port: 80, protocol: HTTP, hostname: "*.a.test"}') +
      route(`{parentRefs: [{name: web}], hostnames: [b.test], ${toA}}`),
  );
  assert.equal(routeOf(mesh), ['Accepted=False:NoMatchingListenerHostname ResolvedRefs=True:ResolvedRefs']);
});

test('backends that are not there count as references; the route is attached all the same', async () => {
  const mesh = await meshOf(
    service +
      gateway(http) +
      route(
        '{parentRefs: [{name: web}], rules: [{backendRefs: [{name: a, port: 81}, {name: b, port: 80, namespace: x}, {name: c, kind: Cache, group: d, port: 1}]}]}',
      ),
  );
  assert.equal(routeOf(mesh), ['Accepted=True:Accepted ResolvedRefs=False:BackendNotFound']);
  assert.equal(problemsOf(mesh), [
    'gateway-api/backend-not-found spec.rules[0].backendRefs[0].port',
    'gateway-api/ref-not-permitted spec.rules[0].backendRefs[1].namespace',
    'gateway-api/invalid-kind spec.rules[0].backendRefs[2]',
  ]);
  assert.is(listenersOf(mesh)[0]?.split(' ')[1], '1');
});

test.run();
