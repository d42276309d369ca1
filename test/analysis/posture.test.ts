/** The security summary: who may call what, and why each point is given. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analysisModel } from '../../src/analysis/model/analysis-model.ts';
import { securityPosture } from '../../src/analysis/posture/posture.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import { textFile } from '../../src/config/text-file.ts';
import { formatPosture } from '../../src/output/findings/posture.ts';

const workload = `apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-db, port: 81, targetPort: db}]}
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-1, namespace: shop, labels: {app: reviews}}
spec: {containers: [{name: app, image: reviews, ports: [{name: db, containerPort: 9000}]}, {name: istio-proxy, image: proxyv2}]}
`;
const security = (kind: string, name: string, spec: string, namespace = 'shop'): string =>
  `---\napiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;
const strict = security('PeerAuthentication', 'default', '{mtls: {mode: STRICT}}');
const front = '{rules: [{from: [{source: {principals: [cluster.local/ns/web/sa/front]}}]}]}';
const gateway = (server: string): string => `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [${server}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [shop.example.com], gateways: [public], http: [{route: [{destination: {host: reviews, port: {number: 80}}}]}]}
`;
const tls = '{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: c}}';
const plain = '{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}';
const redirect = '{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}';

async function postureOf(text: string) {
  const { resources, meshConfig } = await parseFiles([textFile('mesh.yaml', text)]);
  return securityPosture(analysisModel({ resources, meshConfig }));
}

/** `port: mutual TLS + callers + exposure`. */
const scores = async (text: string): Promise<string[]> =>
  (await postureOf(text)).ports.map(({ port, points }) => `${port}: ${points.map((part) => part.points).join(' + ')}`).sort();

test('every part of the score follows what is configured', async () => {
  const cases: readonly (readonly [string, string[]])[] = [
    [workload, ['8080: 15 + 0 + 20', '9000: 15 + 0 + 20']],
    [workload + strict, ['8080: 40 + 0 + 20', '9000: 40 + 0 + 20']],
    [workload + strict + security('AuthorizationPolicy', 'a', front), ['8080: 40 + 40 + 20', '9000: 40 + 40 + 20']],
    // An identity that nobody has to prove counts less.
    [workload + security('AuthorizationPolicy', 'a', front), ['8080: 15 + 25 + 20', '9000: 15 + 25 + 20']],
    [workload + security('AuthorizationPolicy', 'a', '{}'), ['8080: 15 + 40 + 20', '9000: 15 + 40 + 20']],
    [
      workload + security('AuthorizationPolicy', 'a', '{rules: [{to: [{operation: {ports: ["8080"]}}]}]}'),
      ['8080: 15 + 0 + 20', '9000: 15 + 40 + 20'],
    ],
    // A provider that is asked about every request decides; about some only, the others get in.
    [
      workload + security('AuthorizationPolicy', 'a', '{action: CUSTOM, provider: {name: p}, rules: [{}]}'),
      ['8080: 15 + 25 + 20', '9000: 15 + 25 + 20'],
    ],
    [
      workload + security('AuthorizationPolicy', 'a', '{action: CUSTOM, provider: {name: p}, rules: [{to: [{operation: {paths: [/x]}}]}]}'),
      ['8080: 15 + 0 + 20', '9000: 15 + 0 + 20'],
    ],
    [
      workload +
        security('AuthorizationPolicy', 'a', '{rules: [{}]}') +
        security('AuthorizationPolicy', 'b', '{action: DENY, rules: [{}]}', 'istio-system'),
      ['8080: 15 + 40 + 20', '9000: 15 + 40 + 20'],
    ],
    [
      workload +
        security(
          'PeerAuthentication',
          'w',
          '{selector: {matchLabels: {app: reviews}}, mtls: {mode: STRICT}, portLevelMtls: {"9000": {mode: DISABLE}}}',
        ),
      ['8080: 40 + 0 + 20', '9000: 0 + 0 + 20'],
    ],
    [workload.replace(', {name: istio-proxy, image: proxyv2}', '') + strict, ['8080: 0 + 0 + 20', '9000: 0 + 0 + 20']],
    // Without a sidecar nothing carries out what a policy says.
    [
      workload.replace(', {name: istio-proxy, image: proxyv2}', '') + security('AuthorizationPolicy', 'a', front),
      ['8080: 0 + 0 + 20', '9000: 0 + 0 + 20'],
    ],
    [workload + gateway(tls), ['8080: 15 + 0 + 15', '9000: 15 + 0 + 20']],
    [workload + gateway(plain), ['8080: 15 + 0 + 5', '9000: 15 + 0 + 20']],
    [workload + gateway(`${redirect}, ${tls}`), ['8080: 15 + 0 + 15', '9000: 15 + 0 + 20']],
    [workload.replace('spec: {selector', 'spec: {type: LoadBalancer, selector'), ['8080: 15 + 0 + 0', '9000: 15 + 0 + 0']],
  ];
  for (const [text, expected] of cases) assert.equal(await scores(text), expected, text);
});

test('clients that use no mutual TLS against STRICT are told to fail, with the place that says so', async () => {
  const rule = `---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews, namespace: shop}\nspec: {host: reviews, trafficPolicy: {tls: {mode: DISABLE}}}\n`;
  const [port] = (await postureOf(workload + strict + rule)).ports;
  assert.is(port?.clients.mode, 'DISABLE');
  assert.is(port?.clients.conflict, true);
  assert.is(port?.clients.references[0]?.path, 'spec.trafficPolicy.tls.mode');
});

test('the table fits 80 and 200 columns, the weakest first, and each point has its place', async () => {
  const posture = await postureOf(workload + strict + gateway(plain) + security('AuthorizationPolicy', 'a', front));
  assert.equal(
    posture.ports.map(({ score }) => score),
    [85, 100],
  );
  for (const width of [80, 200]) {
    const text = formatPosture(posture, width);
    assert.not.ok(
      text.split('\n').some((line) => line.length > width),
      text,
    );
    assert.match(text, /SCORE +WORKLOAD +PORT/);
    assert.match(text, /40\/40 mutual TLS: only mutual TLS is accepted\n +mesh\.yaml:\d+:\d+ PeerAuthentication shop\/default\n/);
    assert.match(text, / 5\/20 exposure: it can be reached from outside in plain text\n +mesh\.yaml:\d+:\d+ Gateway shop\/public\n/);
  }
  assert.match(formatPosture(posture, 200), /cluster\.local\/ns\/web\/sa\/front +plain shop\.example\.com/);
});

test.run();
