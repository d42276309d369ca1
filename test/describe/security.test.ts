/** Policies in descriptions: rules in words, dry runs, ports that nothing guards. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeWorkload } from '../../src/describe/workload.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import { descriptionText } from '../../src/output/describe/text.ts';
import { described, meshOf } from './support.ts';

const mesh = await meshOf(`apiVersion: v1
kind: Service
metadata: { name: api }
spec: { selector: { app: api }, ports: [{ name: http, port: 80, targetPort: 7001 }, { name: http-admin, port: 81, targetPort: 7002 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: api }
spec: { address: 127.0.0.1, labels: { app: api }, serviceAccount: api }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: api }
spec:
  workloadSelector: { labels: { app: api } }
  ingress: [{ port: { number: 7001, protocol: HTTP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:7003 }]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers }
spec:
  selector: { matchLabels: { app: api } }
  rules:
  - from: [{ source: { namespaces: [shop] } }]
    to: [{ operation: { methods: [GET] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: tried, annotations: { istio.io/dry-run: "true" } }
spec: { action: DENY, selector: { matchLabels: { app: api } }, rules: [{}] }
`);

const proxy = findProxy(mesh, 'api');
if ('candidates' in proxy) throw new Error('no api');
const workload = describeWorkload(mesh, proxy, 'workload');

test('a workload: rules in words with their lines, dry runs', () => {
  const rules = Object.fromEntries(
    workload.policies.map((p) => [p.origin.name, { summary: p.summary, rules: p.rules?.map((r) => [r.text, r.origin.line]) }]),
  );
  assert.equal(rules['readers'], {
    summary: 'ALLOW, 1 rule',
    rules: [['method is "GET", when client is of namespace "shop"', 29]],
  });
  assert.is(rules['tried']?.summary, 'DENY everything, dry run: only said, not enforced');
  assert.equal(rules['tried']?.rules?.[0]?.[0], 'everything, by anybody');
});

test('a port that no proxy takes is said not to be guarded', () => {
  assert.equal(
    workload.services.map((s) => [s.port, s.mtls.mode, s.mtls.unguarded]),
    [
      [80, 'STRICT', undefined],
      [81, 'STRICT', true],
    ],
  );
  assert.match(descriptionText(workload, { color: false, width: 200 }), /STRICT, but no proxy takes connections there/);
  assert.ok(workload.problems.some((p) => /nothing enforces it on port 7002/.test(p.message)));
});

test('an AuthorizationPolicy: its rules in words', () => {
  const [fact] = described(mesh, 'AuthorizationPolicy default/readers').facts;
  assert.is(fact?.[0], 'rule 1');
  assert.match(fact?.[1] ?? '', /^method is "GET", when client .*\(mesh\.yaml:29:5\)$/);
});

test.run();
