/**
 * What the service accounts of an installation may do, as the API server itself says: all of it, in a golden file, so that nothing comes to it unseen.
 * UPDATE_GOLDENS=1 writes it anew; read the difference before committing it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifestsOf } from '../../src/install/manifests.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { namespaceOf, routeOf, until } from '../support/cluster-objects.ts';
import { clientOf, collectionOf, type KubeObject, startKubeApi } from '../support/kube-api.ts';

const NAMESPACE = 'fairlead-system';
const GOLDEN = fileURLToPath(new URL('goldens/access.txt', import.meta.url));
const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP what service accounts may do: ${started.missing}`);
  test('nothing to ask', () => undefined);
} else {
  const api = started;
  const clients: ReturnType<typeof clientOf>[] = [];
  test.after(async () => {
    for (const client of clients) client.close();
    await api.stop();
  });

  const apply = (object: object): Promise<unknown> => {
    const { kind, metadata } = object as KubeObject;
    const path = `${collectionOf(object as KubeObject)}/${metadata.name}?fieldManager=fairlead&force=true`;
    return api.admin.request(path, { method: 'PATCH', body: object, contentType: 'application/apply-patch+yaml' }).catch((error: Error) => {
      throw new Error(`${kind} ${metadata.name}: ${error.message}`);
    });
  };
  const as = async (account: string, pod?: KubeObject, namespace = NAMESPACE): Promise<ReturnType<typeof clientOf>> => {
    const bound = pod && { kind: 'Pod', apiVersion: 'v1', name: pod.metadata.name, uid: pod.metadata['uid'] };
    const { status } = (await api.admin.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: bound ? { boundObjectRef: bound } : {} },
    })) as { status: { token: string } };
    const client = clientOf(api.kubeconfigFor(`${namespace}-${account}-${pod?.metadata.name ?? 'unbound'}`, status.token));
    clients.push(client);
    return client;
  };
  const own = (path: string): string => `/api/v1/namespaces/${NAMESPACE}/${path}`;
  const allowed = async (client: ReturnType<typeof clientOf>, path: string, more?: Parameters<typeof client.request>[1]): Promise<void> => {
    await client.request(path, more).catch((error: Error) => {
      throw new Error(`${more?.method ?? 'GET'} ${path}: ${error.message}`);
    });
  };
  const denied = async (client: ReturnType<typeof clientOf>, path: string, more?: Parameters<typeof client.request>[1]): Promise<void> => {
    const error = await client.request(path, more).then(
      () => undefined,
      (e: unknown) => e,
    );
    assert.ok(isForbidden(error), `${more?.method ?? 'GET'} ${path}: ${error === undefined ? 'it may' : String(error)}`);
  };
  const patch = (body: object): Parameters<ReturnType<typeof clientOf>['request']>[1] => ({
    method: 'PATCH',
    body,
    contentType: 'application/merge-patch+json',
  });
  const applied = (body: object): Parameters<ReturnType<typeof clientOf>['request']>[1] => ({
    method: 'PATCH',
    body,
    contentType: 'application/apply-patch+yaml',
  });
  const summary = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: NAMESPACE, labels: { 'fairlead.dev/status': 'agent' } },
    data: { summary: '{}' },
  });
  let pod: KubeObject;

  test('there is an installation, and a revision beside it', async () => {
    const settings = {
      injection: { enabled: true, namespaces: ['shop'] },
      gateways: { ingressgateway: { credentials: ['shop-cert'] } },
    };
    for (const revision of ['', 'canary'])
      for (const object of manifestsOf(resolveSettings(settings, { revision, version: '1.2.3' }), '1.2.3')) await apply(object);
    for (const namespace of ['shop', 'other']) {
      await api.create(namespaceOf(namespace));
      await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace } });
    }
    pod = await api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'fairlead-agent-x', namespace: NAMESPACE },
      spec: { serviceAccountName: 'fairlead-agent', nodeName: 'one', containers: [{ name: 'a', image: 'a' }] },
    });
  });

  test('each service account may do exactly what is written down', async () => {
    const everybody = new Set((await rulesOf(await as('web', undefined, 'other'), 'other')).map(String));
    const parts: string[] = [];
    const accounts: [string, string][] = [
      ...['fairlead-agent', 'fairlead-ca', 'fairlead-webhook', 'ingressgateway'].map((name): [string, string] => [NAMESPACE, name]),
      ...['fairlead-agent-canary', 'fairlead-webhook-canary', 'ingressgateway-canary'].map((name): [string, string] => [NAMESPACE, name]),
      ['shop', 'web'],
      ['other', 'web'],
    ];
    for (const [namespace, account] of accounts) {
      const client = await as(account, undefined, namespace);
      const elsewhere = (await rulesOf(client, 'kube-system')).filter((rule) => !everybody.has(rule));
      const inside = (await rulesOf(client, NAMESPACE)).filter((rule) => !everybody.has(rule) && !elsewhere.includes(rule));
      const lines = [...elsewhere.map((rule) => `  everywhere: ${rule}`), ...inside.map((rule) => `  in ${NAMESPACE}: ${rule}`)];
      parts.push(`${namespace}/${account}\n${lines.length === 0 ? '  nothing' : lines.join('\n')}\n`);
    }
    const text = parts.join('\n');
    if (process.env['UPDATE_GOLDENS']) writeFileSync(GOLDEN, text);
    else assert.fixture(text, readFileSync(GOLDEN, 'utf8'));
  });

  test('the agent of a node does all that it needs', async () => {
    const agent = await as('fairlead-agent', pod);
    for (const path of ['services', 'pods', 'nodes', 'namespaces']) await allowed(agent, `/api/v1/${path}`);
    await allowed(agent, '/apis/discovery.k8s.io/v1/endpointslices');
    await allowed(agent, '/apis/networking.istio.io/v1/virtualservices');
    await allowed(agent, own('configmaps/istio'));
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x', audiences: ['fairlead-agent'] } };
    await allowed(agent, '/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body: review });
    await allowed(agent, own('configmaps?labelSelector=fairlead.dev%2Fstatus%3Dagent'));
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
    const held = (await agent.request(`${leases}/fairlead-status`)) as KubeObject;
    const spec = { holderIdentity: 'a', leaseDurationSeconds: 15 };
    await allowed(agent, `${leases}/fairlead-status`, { method: 'PUT', body: { ...held, spec } });
    await api.create(routeOf('reviews', 'shop', 'v1'));
    const route = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices/reviews';
    const condition = { type: 'fairlead.dev/Applied', status: 'True' };
    const body = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'reviews', namespace: 'shop' },
      status: { conditions: [condition] },
    };
    await allowed(agent, `${route}/status?fieldManager=fairlead-status&force=true`, applied(body));
    await denied(agent, route, patch({ spec: { hosts: ['other'] } }));
    await denied(agent, route, { method: 'DELETE' });
    const note = {
      ...{
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'a', namespace: 'shop' },
        eventTime: '2026-01-01T00:00:00.000000Z',
      },
      ...{
        reason: 'Refused',
        action: 'Apply',
        type: 'Warning',
        note: 'a',
        reportingController: 'fairlead.dev/agent',
        reportingInstance: 'x',
      },
      regarding: { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'reviews', namespace: 'shop' },
    };
    await allowed(agent, '/apis/events.k8s.io/v1/namespaces/shop/events', { method: 'POST', body: note });
  });

  test('an agent writes the ConfigMap of its own pod; roots, MeshConfig, inventory and what other pods say are out of its reach', async () => {
    const agent = await as('fairlead-agent', pod);
    const write = (name: string) => [own(`configmaps/${name}?fieldManager=x&force=true`), applied(summary(name))] as const;
    // Policies take effect some moments after they are made.
    await until('the policy is in force', async () =>
      isForbidden(await agent.request(...write('fairlead-status-y')).catch((e: unknown) => e)),
    );
    await allowed(agent, ...write('fairlead-status-fairlead-agent-x'));
    await allowed(agent, ...write('fairlead-status-fairlead-agent-x'));
    for (const name of ['fairlead-ca-roots', 'istio', 'fairlead-inventory', 'fairlead-webhook', 'any']) await denied(agent, ...write(name));
    await denied(agent, own('configmaps/fairlead-ca-roots'), patch({ data: { 'root-cert.pem': 'mine' } }));
    await denied(agent, own('configmaps/fairlead-ca-roots'), { method: 'DELETE' });
    await denied(agent, own('configmaps'), { method: 'POST', body: summary('fairlead-status-z') });
    // A token that is bound to no pod is nobody’s.
    await denied(await as('fairlead-agent'), ...write('fairlead-status-fairlead-agent-x'));
    await denied(await as('ingressgateway'), ...write('istio'));
    // It is about agents alone.
    await allowed(await as('fairlead-ca'), own('configmaps/fairlead-ca-roots'), patch({ data: { 'root-cert.pem': 'the roots' } }));
    await allowed(api.admin, own('configmaps/istio'), patch({ metadata: { labels: { a: 'b' } } }));
  });

  test('what tempts is denied', async () => {
    const agent = await as('fairlead-agent', pod);
    const ca = await as('fairlead-ca');
    const webhook = await as('fairlead-webhook');
    const gateway = await as('ingressgateway');
    const csr = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'a' },
      spec: { request: '', signerName: 'fairlead.dev/mesh', usages: ['client auth'] },
    };
    for (const client of [agent, ca, webhook, gateway]) {
      await denied(client, '/api/v1/secrets');
      await denied(client, own('secrets'));
      await denied(client, own('secrets/other'));
      await denied(client, own('pods'), { method: 'POST', body: { ...pod, metadata: { name: 'b', namespace: NAMESPACE } } });
      await denied(client, own('pods/fairlead-agent-x/exec?command=sh'), { method: 'POST', body: {} });
      await denied(client, own('pods/fairlead-agent-x'), { method: 'DELETE' });
      await denied(client, own('serviceaccounts/fairlead-ca/token'), {
        method: 'POST',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      });
      await denied(client, '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        method: 'POST',
        body: {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name: 'me' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        },
      });
      await denied(client, '/api/v1/namespaces/kube-system/configmaps');
      await denied(client, '/api/v1/nodes/one', patch({ metadata: { labels: { a: 'b' } } }));
      await denied(client, '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/fairlead-status-fairlead-system', {
        method: 'DELETE',
      });
      await denied(client, '/apis/apps/v1/namespaces/fairlead-system/daemonsets/fairlead-agent', { method: 'DELETE' });
    }
    for (const client of [webhook, gateway, await as('web', undefined, 'shop')]) {
      await denied(client, '/apis/certificates.k8s.io/v1/certificatesigningrequests', { method: 'POST', body: csr });
      await denied(client, '/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body: {} });
    }
    await denied(agent, '/apis/certificates.k8s.io/v1/certificatesigningrequests');
    await denied(agent, '/apis/certificates.k8s.io/v1/certificatesigningrequests/a/approval', { method: 'PUT', body: csr });
    await denied(agent, '/apis/certificates.k8s.io/v1/certificatesigningrequests/a/status', { method: 'PUT', body: csr });
    const others = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/fairlead-sidecar-injector-canary';
    await denied(webhook, others, patch({ webhooks: [] }));
    await denied(agent, others);
    await denied(await as('web', undefined, 'other'), '/api/v1/pods');
  });
}

test.run();

interface ResourceRule {
  verbs: string[];
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
}

/** `get,list services` in order, one line a rule and resource. Paths that are no resources are the same for everybody. */
async function rulesOf(client: ReturnType<typeof clientOf>, namespace: string): Promise<string[]> {
  const { status } = (await client.request('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    method: 'POST',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } },
  })) as { status: { resourceRules: ResourceRule[]; incomplete: boolean } };
  assert.is(status.incomplete, false);
  const verbs = new Map<string, Set<string>>();
  for (const rule of status.resourceRules)
    for (const group of rule.apiGroups)
      for (const resource of rule.resources) {
        const what = `${resource}${group === '' ? '' : `.${group}`}${rule.resourceNames ? ` [${[...rule.resourceNames].sort().join(', ')}]` : ''}`;
        verbs.set(what, new Set([...(verbs.get(what) ?? []), ...rule.verbs]));
      }
  return [...verbs].map(([what, may]) => `${what}: ${[...may].sort().join(', ')}`).sort();
}
