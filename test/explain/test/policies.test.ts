/** Tests of policies: who is allowed, by which policy, with which token; and which rules no test touches. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runMeshTests } from './mesh-tests.ts';

const mesh = `apiVersion: v1
kind: Service
metadata: { name: payments }
spec: { selector: { app: payments }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: payments }
spec: { address: 127.0.0.1, ports: { http: 7001 }, labels: { app: payments }, serviceAccount: payments }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: payments }
spec:
  workloadSelector: { labels: { app: payments } }
  ingress: [{ port: { number: 7001, protocol: HTTP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:7002 }]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web }
spec: { address: 127.0.0.1, labels: { app: web }, serviceAccount: web }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens }
spec: { selector: { matchLabels: { app: payments } }, jwtRules: [{ issuer: "https://issuer.example", jwksUri: "https://issuer.example/keys" }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers }
spec:
  selector: { matchLabels: { app: payments } }
  rules:
  - from: [{ source: { serviceAccounts: [web] } }]
    to: [{ operation: { methods: [GET] } }]
  - when: [{ key: "request.auth.claims[groups]", values: [admin] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never }
spec: { action: DENY, selector: { matchLabels: { app: payments } }, rules: [{ to: [{ operation: { methods: [DELETE] } }] }] }
`;

const one = (more: string): string => `tests:\n- { name: t, hosts: payments, ${more} }\n`;
const passes = async (more: string): Promise<boolean> => {
  const { report, problems } = await runMeshTests(mesh, one(more));
  assert.equal(problems, []);
  return report.failed === 0;
};

test('allowed and denied, and by which policy', async () => {
  assert.ok(await passes('from: web, expect: { allowed: true, policy: callers, destination: payments }'));
  assert.not(await passes('from: web, expect: { allowed: false }'));
  assert.ok(await passes('from: web, methods: POST, expect: { allowed: false, policy: default/callers, status: 403 }'));
  assert.not(await passes('from: web, methods: POST, expect: { allowed: false, policy: never }'));
  assert.ok(await passes('from: web, methods: DELETE, expect: { outcome: denied, policy: never }'));
  assert.ok(await passes('from: web, methods: POST, jwtClaims: { groups: [admin] }, expect: { allowed: true, policy: callers }'));
  assert.ok(await passes('from: web, jwtClaims: { iss: "https://else.example" }, expect: { allowed: false, status: 401, policy: tokens }'));
});

test('at the workload: who shows which certificate', async () => {
  const at = 'to: payments, hosts: "payments:7001"';
  const asked = async (more: string): Promise<boolean> => {
    const { report, problems } = await runMeshTests(mesh, `tests:\n- { name: t, ${at}, ${more} }\n`);
    assert.equal(problems, []);
    return report.failed === 0;
  };
  assert.ok(await asked('expect: { allowed: false, policy: default }'), 'plain text');
  assert.ok(await asked('tls: true, expect: { allowed: false }'), 'no certificate');
  assert.ok(await asked('tls: true, identity: default/web, expect: { allowed: true, policy: callers }'));
  assert.ok(await asked('tls: true, identity: other/web, expect: { allowed: false, policy: callers, status: 403 }'));
});

test('what cannot be asked is refused with its place', async () => {
  const wrong = async (more: string): Promise<string | undefined> => (await runMeshTests(mesh, one(more))).problems[0]?.rule;
  assert.is(await wrong('from: web, identity: "a b", expect: { allowed: true }'), 'test/identity');
  assert.is(await wrong('from: web, tls: true, expect: { allowed: true }'), 'test/tls');
  assert.ok(await wrong('from: web, extAuthz: maybe, expect: { allowed: true }'));
});

test('coverage counts rules one by one', async () => {
  const untested = async (tests: string): Promise<string[]> =>
    (await runMeshTests(mesh, tests)).coverage.untested.filter((u) => u.kind === 'policy').map((u) => u.resource);
  const all = await untested(`tests:\n- { name: t, from: web, hosts: elsewhere, expect: { allowed: true } }\n`);
  assert.equal(all, [
    'PeerAuthentication default/default',
    'RequestAuthentication default/tokens',
    'AuthorizationPolicy default/callers rules[0]',
    'AuthorizationPolicy default/callers rules[1]',
    'AuthorizationPolicy default/never rules[0]',
  ]);
  // A rule that did not allow it is not tested by that.
  assert.ok(
    (await untested(one('from: web, methods: POST, expect: { allowed: false }'))).includes('AuthorizationPolicy default/callers rules[0]'),
  );
  assert.equal(await untested(one('from: web, expect: { allowed: true }')), [
    'RequestAuthentication default/tokens',
    'AuthorizationPolicy default/callers rules[1]',
    'AuthorizationPolicy default/never rules[0]',
  ]);
  assert.equal(await untested(one('from: web, methods: POST, jwtClaims: { groups: [admin] }, expect: { allowed: true }')), [
    'AuthorizationPolicy default/callers rules[0]',
    'AuthorizationPolicy default/never rules[0]',
  ]);
});

test.run();
