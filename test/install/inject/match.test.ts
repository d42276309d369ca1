import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyze } from '../../../src/analysis/analyze.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { checkInjection } from '../../../src/install/inject/check.ts';
import { matchInjector } from '../../../src/install/inject/match.ts';
import { injectionRules, mutatingWebhooks, validatingWebhooks } from '../../../src/install/inject/webhooks.ts';

const byName = (revision: string) => ({ name: revision || 'plain', revision: revision || 'default', webhooks: injectionRules(revision) });
const asked = (namespace: Record<string, string>, pod: Record<string, string>): string[] =>
  [byName(''), byName('canary')].map((one) => matchInjector(one, namespace, pod)).flatMap((m) => (m.asked ? [m.revision] : []));

/** https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy */
const CASES: [namespace: Record<string, string>, pod: Record<string, string>, by: string[]][] = [
  [{}, {}, []],
  [{ 'istio-injection': 'enabled' }, {}, ['default']],
  [{ 'istio-injection': 'enabled' }, { 'sidecar.istio.io/inject': 'false' }, []],
  [{ 'istio-injection': 'disabled' }, { 'sidecar.istio.io/inject': 'true' }, []],
  [{}, { 'sidecar.istio.io/inject': 'true' }, ['default']],
  [{ 'istio.io/rev': 'canary' }, {}, ['canary']],
  [{ 'istio.io/rev': 'canary' }, { 'sidecar.istio.io/inject': 'false' }, []],
  [{ 'istio.io/rev': 'default' }, {}, ['default']],
  [{ 'istio.io/rev': 'other' }, {}, []],
  // The plain label goes before revisions.
  [{ 'istio-injection': 'enabled', 'istio.io/rev': 'canary' }, {}, ['default']],
  [{}, { 'istio.io/rev': 'canary' }, ['canary']],
  [{}, { 'istio.io/rev': 'canary', 'sidecar.istio.io/inject': 'true' }, ['canary']],
  [{ 'kubernetes.io/metadata.name': 'kube-system', 'istio-injection': 'enabled' }, {}, []],
];

test('labels choose one revision or none, as with Istio', () => {
  for (const [namespace, pod, by] of CASES) assert.equal(asked(namespace, pod), by, JSON.stringify([namespace, pod]));
});

test('the reason names the label', () => {
  const reason = (namespace: Record<string, string>, pod: Record<string, string>): string =>
    matchInjector(byName(''), namespace, pod).reason;
  assert.is(reason({ 'istio-injection': 'enabled' }, {}), 'the namespace has istio-injection=enabled');
  assert.is(reason({}, { 'sidecar.istio.io/inject': 'true' }), 'the pod has sidecar.istio.io/inject=true');
  assert.is(reason({ 'istio-injection': 'enabled' }, { 'sidecar.istio.io/inject': 'false' }), 'the pod has sidecar.istio.io/inject=false');
});

test('no webhook stands in the way of a cluster, and analyze finds nothing in them', async () => {
  const address = { service: { namespace: 'fairlead-system', name: 'fairlead-webhook' } };
  const object = (kind: string, name: string, webhooks: object[]) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name },
    webhooks,
  });
  const all = ['', 'canary'].flatMap((revision) => [
    object('MutatingWebhookConfiguration', `injector-${revision || 'plain'}`, mutatingWebhooks(revision, address)),
    object('ValidatingWebhookConfiguration', `validator-${revision || 'plain'}`, validatingWebhooks(revision, address)),
  ]);
  for (const webhook of all.flatMap(({ webhooks }) => webhooks) as Record<string, unknown>[]) {
    assert.is(webhook['failurePolicy'], 'Ignore');
    assert.is(webhook['sideEffects'], 'None');
    assert.ok((webhook['timeoutSeconds'] as number) <= 10);
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'fairlead-webhook', namespace: 'fairlead-system' },
    spec: { ports: [{ name: 'https-webhook', port: 443 }] },
  };
  const loaded = await parseConfig([...all, service].map((o) => JSON.stringify(o)).join('\n---\n'), 'webhooks.yaml');
  assert.equal(loaded.problems, []);
  const { findings } = await analyze(loaded);
  assert.equal(
    findings.filter(({ code }) => code === 'IST0139'),
    [],
  );
});

test('a webhook without roots cannot be asked; two injectors are told of', async () => {
  const hook = (name: string, caBundle?: string) =>
    JSON.stringify({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: mutatingWebhooks('', { url: 'https://localhost' }).map((w) => ({
        ...w,
        clientConfig: { url: 'https://localhost', ...(caBundle ? { caBundle } : {}) },
      })),
    });
  const more = [
    '{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}',
    '{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {containers: [{name: web, image: web}]}}',
  ];
  const check = async (...hooks: string[]) => {
    const { resources, problems } = await parseConfig([...hooks, ...more].join('\n---\n'), 'x.yaml');
    assert.equal(problems, []);
    return checkInjection(resources, { revision: '', labels: {} })[0];
  };
  const without = await check(hook('one'));
  assert.is(without?.injected, false);
  assert.match(without?.webhooks[0]?.reason ?? '', /no roots yet/);
  assert.is((await check(hook('one', 'QQ==')))?.injected, true);
  assert.match((await check(hook('one', 'QQ=='), hook('two', 'QQ==')))?.why ?? '', /one and two are both asked/);
});

test.run();
