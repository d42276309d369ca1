/** `authz check` and `authz can` on files and on dumps: what they say, and with which exit code. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { istioDump, rbacFilter } from '../explain/istio-dump.ts';
import { fairlead as run } from '../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-authz-'));
const mesh = join(folder, 'mesh.yaml');
const text = `apiVersion: v1
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
apiVersion: v1
kind: Service
metadata: { name: open }
spec: { selector: { app: open }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: open }
spec: { address: 127.0.0.1, ports: { http: 7010 }, labels: { app: open } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers }
spec:
  selector: { matchLabels: { app: payments } }
  rules:
  - from: [{ source: { serviceAccounts: [web] } }]
    to: [{ operation: { methods: [GET] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: tried, annotations: { istio.io/dry-run: "true" } }
spec: { action: DENY, selector: { matchLabels: { app: payments } }, rules: [{ to: [{ operation: { paths: [/x] } }] }] }
`;
writeFileSync(mesh, text);

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('can says yes with the rule, and no with what nearly allowed it', async () => {
  const yes = await run(['authz', 'can', 'web', 'payments', 'GET', '/a', '-f', mesh]);
  assert.is(yes.code, 0, yes.err);
  assert.match(yes.out, /^yes: AuthorizationPolicy default\/callers rule 1 allows it/);
  const line = text.split('\n').findIndex((l) => l.includes('- from:')) + 1;
  assert.match(yes.out, new RegExp(`mesh\\.yaml:${line}:5`));
  const no = await run(['authz', 'can', 'web', 'payments', 'POST', '/a', '-f', mesh, '-o', 'json']);
  assert.is(no.code, 1);
  const told = JSON.parse(no.out) as { answer: string; status: number; nearMisses: { expected: string; actual: string }[] };
  assert.is(told.answer, 'no');
  assert.is(told.status, 403);
  assert.equal(
    told.nearMisses.map((m) => [m.expected, m.actual]),
    [['method is "GET"', '"POST"']],
  );
});

test('can knows workloads, accounts, SPIFFE IDs and nobody', async () => {
  const codes: Record<string, number | null> = {};
  for (const who of ['web', 'default/web', 'spiffe://cluster.local/ns/default/sa/web', 'other/web', 'open', 'anonymous'])
    codes[who] = (await run(['authz', 'can', who, 'payments', 'GET', '/', '-f', mesh])).code;
  assert.equal(codes, {
    web: 0,
    'default/web': 0,
    'spiffe://cluster.local/ns/default/sa/web': 0,
    'other/web': 1,
    open: 1,
    anonymous: 1,
  });
  const unguarded = await run(['authz', 'can', 'anonymous', 'open', 'GET', '/', '-f', mesh]);
  assert.is(unguarded.code, 0);
  assert.match(unguarded.out, /nothing guards port 7010/);
});

test('what cannot be asked is wrong usage', async () => {
  for (const words of [
    ['nobody', 'payments', 'GET', '/'],
    ['web', 'nowhere', 'GET', '/'],
    ['web', 'payments', 'GET', 'no-slash'],
    ['web', 'payments', 'G T', '/'],
    ['web', 'web', 'GET', '/'],
    ['a/b/c', 'payments', 'GET', '/'],
  ]) {
    const asked = await run(['authz', 'can', ...words, '-f', mesh]);
    assert.is(asked.code, 2, `${words.join(' ')}: ${asked.out}${asked.err}`);
    assert.not.match(asked.err, /\n\s+at /);
  }
});

test('check tells rules in words with their lines, ports, and what is a dry run', async () => {
  const { out: stdout, code } = await run(['authz', 'check', 'payments', '-f', mesh]);
  assert.is(code, 0);
  assert.match(stdout, /7001 {2}HTTP, mutual TLS PERMISSIVE/);
  assert.match(stdout, /DENY {3}AuthorizationPolicy default\/tried, dry run/);
  assert.match(stdout, /rule 1 {2}allows method is "GET"/);
  assert.match(stdout, /what no rule allows is denied/);
  const all = JSON.parse((await run(['authz', 'check', '-f', mesh, '-o', 'json'])).out) as { workload: string }[];
  assert.equal(
    all.map((w) => w.workload),
    ['payments.default'],
  );
  const open = JSON.parse((await run(['authz', 'check', 'open', '-f', mesh, '-o', 'json'])).out) as { ports: { guarded: boolean }[] }[];
  assert.equal(
    open[0]?.ports.map((p) => p.guarded),
    [false],
  );
});

test('check of a dump lists what is loaded, as istioctl does', async () => {
  const file = join(folder, 'dump.json');
  writeFileSync(file, istioDump([rbacFilter('DENY', '/x')]));
  const { out: stdout, code } = await run(['authz', 'check', '--file', file]);
  assert.is(code, 0);
  assert.equal(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/)),
    [
      ['ACTION', 'AuthorizationPolicy', 'RULES'],
      ['DENY', 'web.default', '1'],
    ],
  );
});

test.run();
