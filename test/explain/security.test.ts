/** Authentication and authorization in explanations: TLS on the way, the proxy in front of the destination, tokens, policies. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/config/parse-config.ts';
import { explainConnection } from '../../src/explain/explain.ts';
import type { ExplainRequest, Explanation } from '../../src/explain/types.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { explanationText } from '../../src/output/explain/text.ts';
import { get, viewIn } from './view.ts';

const around = `
apiVersion: v1
kind: Service
metadata: { name: payments }
spec: { selector: { app: payments }, ports: [{ name: http, port: 80 }, { name: tcp-db, port: 5432 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: payments }
spec: { address: 127.0.0.1, ports: { http: 7001, tcp-db: 7003 }, labels: { app: payments }, serviceAccount: payments }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: payments }
spec:
  workloadSelector: { labels: { app: payments } }
  ingress:
  - { port: { number: 7001, protocol: HTTP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:7002 }
  - { port: { number: 7003, protocol: TCP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:7004 }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: billing, annotations: { fairlead.dev/dns-names: billing.myapp.com } }
spec: { address: 127.0.0.1, labels: { app: billing }, serviceAccount: billing }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web }
spec: { address: 127.0.0.1, labels: { app: web }, serviceAccount: web }
`;

const security = (kind: string, name: string, spec: string, annotations = ''): string =>
  `---\napiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: { name: ${name}${annotations} }\nspec: ${spec}\n`;
const strict = security('PeerAuthentication', 'default', '{ mtls: { mode: STRICT } }');
const onPayments = 'selector: { matchLabels: { app: payments } }';

async function meshWith(more: string, meshConfig = {}): Promise<Mesh> {
  const { resources, problems } = await parseConfig(`${around}${more}`, 'mesh.yaml');
  assert.equal(
    problems.filter((p) => p.severity === 'error').map((p) => p.message),
    [],
  );
  return buildMesh(resources, { meshConfig });
}

async function ask(more: string, from: string, path = '/', rest: Partial<ExplainRequest> = {}): Promise<Explanation> {
  return get(viewIn(await meshWith(more), from), `http://payments${path}`, rest);
}

const lineOf = (text: string, part: string): number => `${around}${text}`.split('\n').findIndex((line) => line.includes(part)) + 1;

const allowBilling = `${strict}---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: payments-to-billing }
spec:
  ${onPayments}
  rules:
  - from: [{ source: { principals: [billing.myapp.com] } }]
    to: [{ operation: { paths: [/pay/*] } }]
`;

test('an identity that a rule names gets through, and the rule is told with its line', async () => {
  const told = await ask(allowBilling, 'billing', '/pay/1');
  const [outcome] = told.outcomes;
  assert.is(outcome?.type, 'forward');
  assert.ok(told.decidable);
  assert.is(outcome?.destination?.transport, 'mutual TLS');
  assert.match(outcome?.destination?.security?.why ?? '', /^automatic/);
  assert.is(outcome?.policies?.[0]?.name, 'payments-to-billing');
  assert.is(outcome?.policies?.[0]?.rule, 0);
  assert.is(outcome?.policies?.[0]?.origin?.line, lineOf(allowBilling, '- from:'));
  const tls = told.steps.find((s) => s.kind === 'tls');
  assert.is(tls?.proxy, 'payments.default');
  assert.is(tls?.decision, 'mutual TLS: the client is spiffe://cluster.local/ns/default/sa/billing');
  const header = outcome?.upstream?.headers.find(([name]) => name === 'x-forwarded-client-cert')?.[1] ?? '';
  assert.match(
    header,
    /^By=spiffe:\/\/cluster\.local\/ns\/default\/sa\/payments;.*URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/billing;DNS=billing\.myapp\.com$/,
  );
});

test('whom no rule names is denied, with the condition of each rule that failed', async () => {
  const told = await ask(allowBilling, 'web', '/pay/1');
  const [outcome] = told.outcomes;
  assert.is(outcome?.type, 'denied');
  assert.is(outcome?.status, 403);
  assert.is(outcome?.body, 'RBAC: access denied');
  assert.is(outcome?.responseCodeDetails, 'rbac_access_denied_matched_policy[none]');
  assert.is(outcome?.answeredBy, 'payments.default');
  assert.equal(
    outcome?.policies?.map((p) => [p.name, p.rule, p.action]),
    [['payments-to-billing', undefined, 'ALLOW']],
  );
  const [miss] = told.nearMisses;
  assert.is(miss?.kind, 'policy');
  assert.is(miss?.expected, 'client is "spiffe://billing.myapp.com" or is "billing.myapp.com"');
  assert.is(miss?.actual, '"spiffe://cluster.local/ns/default/sa/web"');
  assert.ok(miss?.decisive);
  const two = (await ask(allowBilling, 'web', '/other')).nearMisses[0];
  assert.not(two?.decisive);
  assert.match(two?.message ?? '', /path starts with "\/pay\/" \(here: "\/other"\) and client is/);
});

test('plain text under STRICT is refused by the policy that says so', async () => {
  const mesh = await meshWith(strict);
  const direct = get(viewIn(mesh, 'payments'), 'http://payments/', { entry: { kind: 'port', port: 7001 } });
  assert.is(direct.outcomes[0]?.type, 'denied');
  assert.is(direct.outcomes[0]?.status, undefined);
  assert.is(direct.outcomes[0]?.policies?.[0]?.name, 'default');
  assert.is(direct.outcomes[0]?.policies?.[0]?.action, 'STRICT');
  const off = `${strict}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: payments }
spec: { host: payments, trafficPolicy: { tls: { mode: DISABLE } } }
`;
  const [through] = (await ask(off, 'web')).outcomes;
  assert.is(through?.type, 'denied');
  assert.is(through?.status, 503);
  assert.is(through?.answeredBy, 'payments.default');
});

test('a certificate without an identity of the mesh does not get in', async () => {
  const view = viewIn(await meshWith(strict), 'payments');
  const at = { entry: { kind: 'port', port: 7001 }, tls: true, alpn: ['istio'], sni: '' } as const;
  assert.is(get(view, 'http://payments/', at).outcomes[0]?.type, 'denied');
  assert.match(get(view, 'http://payments/', at).outcomes[0]?.summary ?? '', /shows none/);
  const other = get(view, 'http://payments/', { ...at, client: { uris: ['spiffe://elsewhere/ns/a/sa/b'] } });
  assert.match(other.outcomes[0]?.summary ?? '', /only spiffe:\/\/cluster\.local\/\* may connect/);
  const own = get(view, 'http://payments/', { ...at, client: { uris: ['spiffe://cluster.local/ns/a/sa/b'] } });
  assert.is(own.outcomes[0]?.type, 'forward');
  assert.is(own.connection.client, 'spiffe://cluster.local/ns/a/sa/b');
});

test('DENY comes before ALLOW; dry runs and audits are notes', async () => {
  const text = `${security('AuthorizationPolicy', 'open', `{ ${onPayments}, rules: [{}] }`)}${security('AuthorizationPolicy', 'shut', `{ action: DENY, ${onPayments}, rules: [{ to: [{ operation: { methods: [DELETE] } }] }] }`)}${security('AuthorizationPolicy', 'heard', `{ action: AUDIT, ${onPayments}, rules: [{}] }`)}${security('AuthorizationPolicy', 'tried', `{ action: DENY, ${onPayments}, rules: [{ to: [{ operation: { paths: [/x] } }] }] }`, ', annotations: { istio.io/dry-run: "true" }')}`;
  const denied = (await ask(text, 'web', '/', { method: 'DELETE' })).outcomes[0];
  assert.is(denied?.type, 'denied');
  assert.is(denied?.responseCodeDetails, 'rbac_access_denied_matched_policy[ns[default]-policy[shut]-rule[0]]');
  const passed = await ask(text, 'web', '/x');
  assert.is(passed.outcomes[0]?.type, 'forward');
  assert.equal(
    passed.outcomes[0]?.policies?.map((p) => [p.name, p.action]),
    [
      ['heard', 'AUDIT'],
      ['open', 'ALLOW'],
    ],
  );
  assert.ok(
    passed.notes.some((n) => n.includes('dry run') && n.includes('default/tried rule 1 would deny it')),
    passed.notes.join('\n'),
  );
});

test('claims are a token that is taken as genuine, whoever checks it', async () => {
  const text = `${security('RequestAuthentication', 'tokens', `{ ${onPayments}, jwtRules: [{ issuer: "https://issuer.example", jwksUri: "https://issuer.example/keys", audiences: [pay] }] }`)}${security('AuthorizationPolicy', 'admins', `{ ${onPayments}, rules: [{ when: [{ key: "request.auth.claims[groups]", values: [admin] }] }] }`)}`;
  const claims = { sub: 'ann', aud: 'pay', groups: ['admin'], exp: 1 };
  const passed = await ask(text, 'web', '/', { jwtClaims: claims });
  assert.is(passed.outcomes[0]?.type, 'forward');
  assert.ok(passed.decidable);
  assert.ok(passed.steps.some((s) => s.origin?.kind === 'RequestAuthentication' && s.origin.line === lineOf(text, 'jwtRules')));
  assert.is((await ask(text, 'web', '/', { jwtClaims: { ...claims, groups: ['staff'] } })).outcomes[0]?.type, 'denied');
  const audience = (await ask(text, 'web', '/', { jwtClaims: { ...claims, aud: 'other' } })).outcomes[0];
  assert.is(audience?.status, 403);
  assert.is(audience?.body, 'Audiences in Jwt are not allowed');
  assert.is((await ask(text, 'web', '/', { jwtClaims: { ...claims, iss: 'https://else.example' } })).outcomes[0]?.status, 401);
  const none = await ask(text, 'web');
  assert.match(none.nearMisses[0]?.actual ?? '', /no accepted token/);
  // Without anything that reads them they change nothing.
  assert.ok((await ask('', 'web', '/', { jwtClaims: claims })).notes.some((n) => n.includes('change nothing')));
});

test('real tokens are verified with keys in the configuration; keys elsewhere are not known', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'EdDSA', kid: 'k' }] });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = 1_800_000_000;
  const signed = (claims: object): string => {
    const data = `${part({ alg: 'EdDSA', kid: 'k' })}.${part({ iss: 'https://issuer.example', exp: now + 60, ...claims })}`;
    return `${data}.${sign(null, Buffer.from(data), privateKey).toString('base64url')}`;
  };
  const inline = security(
    'RequestAuthentication',
    'tokens',
    `{ ${onPayments}, jwtRules: [{ issuer: "https://issuer.example", jwks: '${keys}' }] }`,
  );
  const sent = (token: string): Partial<ExplainRequest> => ({ headers: [['authorization', `Bearer ${token}`]], now });
  const good = await ask(inline, 'web', '/', sent(signed({ sub: 'ann' })));
  assert.is(good.outcomes[0]?.type, 'forward');
  assert.ok(good.decidable);
  assert.not(good.outcomes[0]?.upstream?.headers.some(([name]) => name === 'authorization'));
  const late = (await ask(inline, 'web', '/', { ...sent(signed({})), now: now + 3600 })).outcomes[0];
  assert.is(late?.status, 401);
  assert.is(late?.body, 'Jwt is expired');
  const forged = (
    await ask(inline, 'web', '/', sent(`${signed({}).split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`))
  ).outcomes[0];
  assert.is(forged?.body, 'Jwt verification fails');
  const remote = security(
    'RequestAuthentication',
    'tokens',
    `{ ${onPayments}, jwtRules: [{ issuer: "https://issuer.example", jwksUri: "https://issuer.example/keys" }] }`,
  );
  const assumed = await ask(remote, 'web', '/', sent(signed({})));
  assert.is(assumed.outcomes[0]?.type, 'forward');
  assert.not(assumed.decidable);
  assert.ok(assumed.unevaluated.some((u) => u.why.includes('keys of https://issuer.example')));
});

test('whom external authorization is asked about is told; what it answers can be said', async () => {
  const text = `${security('AuthorizationPolicy', 'ask', `{ action: CUSTOM, provider: { name: guard }, ${onPayments}, rules: [{ to: [{ operation: { paths: [/admin*] } }] }] }`)}---
apiVersion: v1
kind: Service
metadata: { name: guard }
spec: { selector: { app: guard }, ports: [{ name: http, port: 9000 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: guard }
spec: { address: 127.0.0.1, ports: { http: 7009 }, labels: { app: guard } }
`;
  const extensionProviders = [{ name: 'guard', envoyExtAuthzHttp: { service: 'guard.default.svc.cluster.local', port: 9000 } }];
  const view = viewIn(await meshWith(text, { extensionProviders }), 'web');
  const asked = get(view, 'http://payments/admin');
  assert.is(asked.outcomes[0]?.type, 'forward');
  assert.not(asked.decidable);
  assert.ok(asked.steps.some((s) => s.policies?.[0]?.name === 'ask' && /guard\.default/.test(s.decision)));
  const no = get(view, 'http://payments/admin', { extAuthz: 'deny' });
  assert.is(no.outcomes[0]?.type, 'denied');
  assert.is(no.outcomes[0]?.flags, 'UAEX');
  assert.ok(get(view, 'http://payments/admin', { extAuthz: 'allow' }).decidable);
  assert.ok(get(view, 'http://payments/else').decidable, 'it is not asked');
});

test('connections go through network filters, with the identity of the client', async () => {
  const text = `${strict}${security('AuthorizationPolicy', 'db', `{ ${onPayments}, rules: [{ from: [{ source: { principals: [cluster.local/ns/default/sa/billing] } }], to: [{ operation: { ports: ["7003"] } }] }] }`)}`;
  const view = viewIn(await meshWith(text), 'payments');
  const by = (account: string) =>
    explainConnection(view, {
      host: '127.0.0.1',
      port: 7003,
      entry: { kind: 'port', port: 7003 },
      tls: true,
      sni: '',
      alpn: ['istio'],
      client: { uris: [`spiffe://cluster.local/ns/default/sa/${account}`] },
    });
  assert.is(by('billing').outcomes[0]?.type, 'forward');
  const denied = by('web');
  assert.is(denied.outcomes[0]?.type, 'denied');
  assert.match(denied.nearMisses[0]?.actual ?? '', /sa\/web/);
});

test('mutual TLS that nobody takes fails, and the rule that asks for it is told', async () => {
  const text = `---
apiVersion: v1
kind: Service
metadata: { name: bare }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 7100 }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: bare }
spec: { host: bare, trafficPolicy: { tls: { mode: ISTIO_MUTUAL } } }
`;
  const [outcome] = get(viewIn(await meshWith(text), 'billing'), 'http://bare/').outcomes;
  assert.is(outcome?.type, 'closed');
  assert.is(outcome?.status, 503);
  assert.is(outcome?.destination?.security?.origin?.kind, 'DestinationRule');
});

test('denials read well at 80 and at 200 columns', async () => {
  const told = await ask(allowBilling, 'web', '/pay/1');
  for (const width of [80, 200]) {
    const text = explanationText(told, { color: false, width }, 'GET http://payments/pay/1');
    const long = text.split('\n').filter((line) => line.length > width && !/mesh\.yaml/.test(line));
    assert.equal(long, [], text);
    assert.match(text, /┝━ at payments\.default/);
    assert.match(text, /▶ {2}403: no rule allows it/);
    assert.match(text, /almost\n≈ {2}AuthorizationPolicy default\/payments-to-billing rule 1 asks that/);
    assert.match(text, new RegExp(`mesh\\.yaml:${lineOf(allowBilling, '- from:')}:`));
  }
});

test.run();
