/** CertificateSigningRequests on a real API server, signed by `ca serve`'s own parts as the service account that an installation gives it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCaCluster } from '../../agent/ca/cluster.ts';
import { initCa } from '../../agent/ca/init.ts';
import { issuedCertificates } from '../../agent/ca/issued.ts';
import { patternOf } from '../../agent/ca/policy-of.ts';
import { rotate } from '../../agent/ca/rotate.ts';
import { type CaServer, serveCa } from '../../agent/ca/serve.ts';
import { createLog } from '../../agent/log.ts';
import { manifestsOf } from '../../src/install/manifests.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { readCertificates } from '../../src/pki/certificate.ts';
import { namespaceOf, until } from '../support/cluster-objects.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { clientOf, compact, type KubeObject, startKubeApi } from '../support/kube-api.ts';
import {
  type Asked,
  accountToken,
  allowRequests,
  answered,
  ask,
  chainOf,
  clientAs,
  conditionsOf,
  identityOf,
  type RequestStatus,
  SIGNER,
  statusOf,
  USAGES,
  uri,
  type Wish,
} from '../support/signing-requests.ts';

const SYSTEM = 'fairlead-system';
const DAY = 86_400_000;
const started = await startKubeApi();

if ('missing' in started) {
  console.log(`SKIP signing requests: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-csr-'));
  const directory = join(folder, 'ca');
  const lines: string[] = [];
  const log = createLog('json', 'info', (line) => lines.push(line));
  const proxy = await startCutProxy(api.port);
  let server: CaServer | undefined;

  test.after(async () => {
    await server?.close();
    await proxy.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const as = (account: string, pod?: KubeObject) => clientAs(api, account, pod);

  const podOf = (name: string, namespace: string, serviceAccountName: string, nodeName: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { serviceAccountName, nodeName, containers: [{ name: 'a', image: 'a' }] },
  });
  const identity = identityOf;
  const answer = (name: string): Promise<RequestStatus> => answered(api, name, () => lines.join(''));
  const signed = async (asked: Asked): Promise<{ key: string; chain: string }> => {
    const status = await answer(asked.name);
    assert.equal(conditionsOf(status), ['Approved FairleadPolicy'], JSON.stringify(status.conditions));
    return { key: asked.key, chain: chainOf(status) };
  };
  const kubectl = (...args: string[]) => spawnSync('kubectl', ['--kubeconfig', api.kubeconfig, ...args], { encoding: 'utf8' });

  /** What happens before the CA writes a certificate into a request. */
  let beforePublishing: ((path: string) => Promise<void>) | undefined;
  const serve = async (): Promise<void> => {
    const real = clientOf(api.kubeconfigFor('ca', await accountToken(api, `${SYSTEM}/fairlead-ca`), proxy.port));
    const client: ApiClient = {
      ...real,
      async request(path, more) {
        if (path.endsWith('/status') && more?.method === 'PUT') await beforePublishing?.(path);
        return real.request(path, more);
      },
    };
    const cluster = createCaCluster({
      client,
      audience: 'istio-ca',
      rootsConfigMap: { namespace: SYSTEM, name: 'fairlead-ca-roots' },
      signerName: SIGNER,
      nodeAgents: [patternOf(`${SYSTEM}/fairlead-agent*`)],
    });
    server = await serveCa(directory, { host: '127.0.0.1', port: 0, names: [], passphrase: undefined, cluster, log });
  };

  test('the CA begins, as the service account of an installation', async () => {
    const objects = manifestsOf(resolveSettings({ profile: 'minimal', definitions: false }, { revision: '', version: '1.2.3' }), '1.2.3');
    await api.create(namespaceOf(SYSTEM));
    await api.create(namespaceOf('shop'));
    const mine = objects.filter(({ metadata: { name } }) => name.startsWith('fairlead-ca'));
    for (const object of mine) if (/^(Role|ClusterRole|ServiceAccount|ConfigMap)/.test(object.kind)) await api.create(object as KubeObject);
    for (const account of ['shop/web', 'shop/db', `${SYSTEM}/fairlead-agent`]) {
      const [namespace = '', name = ''] = account.split('/');
      await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    }
    await allowRequests(api);
    const life = { rootLifeMs: 100 * DAY, intermediateLifeMs: 50 * DAY };
    await initCa(directory, { trustDomain: 'cluster.local', algorithm: 'ec-p256', ...life, passphrase: undefined });
    await serve();
  });

  test('a request for the requester’s own identity is approved and signed, and the certificate is good for a TLS handshake', async () => {
    const web = await as('shop/web');
    const one = await signed(await ask(web, { sans: [uri(identity('shop/web'))], seconds: 3600 }));
    const [leaf] = readCertificates(one.chain);
    assert.equal(
      leaf?.sans.map(({ value }) => value),
      [identity('shop/web')],
    );
    assert.ok((leaf as { notAfter: Date }).notAfter.getTime() <= Date.now() + 3_600_000, 'its life is what was asked for');
    await handshake(one);
    const entry = (await issuedCertificates(directory, new Date())).find(({ serial }) => serial === leaf?.serial);
    assert.equal([entry?.by, entry?.caller], ['csr', identity('shop/web')]);
    web.close();
  });

  /** A server and a client of openssl's, both with the certificate, each verifying the other by the published roots. */
  async function handshake({ key, chain }: { key: string; chain: string }): Promise<void> {
    const roots = join(folder, 'roots.pem');
    await until('the roots are published', async () => {
      const { data } = (await api.admin.request(`/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-ca-roots`)) as KubeObject;
      const published = data as Record<string, string> | undefined;
      if (published) {
        writeFileSync(roots, published['root-cert.pem'] as string);
        assert.equal(JSON.parse(published['trust.json'] as string), { sequence: 1, renew: [] });
      }
      return published !== undefined;
    });
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(certFile, chain);
    writeFileSync(keyFile, key);
    const own = ['-cert', certFile, '-key', keyFile, '-cert_chain', certFile, '-CAfile', roots, '-verify_return_error'];
    const listener = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-Verify', '3', '-naccept', '1', ...own], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [listener.stdout, listener.stderr])
      stream.on('data', (data) => {
        said += data;
      });
    await until('openssl listens', () => /ACCEPT 127\.0\.0\.1:\d+/.test(said));
    const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...own], { stdio: ['pipe', 'pipe', 'pipe'] });
    let told = '';
    for (const stream of [client.stdout, client.stderr])
      stream.on('data', (data) => {
        told += data;
      });
    await until('both are content', () => /Verify return code: 0 \(ok\)/.test(told) && /CIPHER is/.test(said)).catch((error: Error) => {
      throw new Error(`${error.message}\n${told}\n${said}`);
    });
    client.kill('SIGKILL');
    listener.kill('SIGKILL');
  }

  test('a request for another’s identity is denied, and it is said why; people have no identity', async () => {
    const web = await as('shop/web');
    for (const other of [identity('shop/db'), 'spiffe://other.example/ns/shop/sa/web', 'spiffe://cluster.local/fairlead/ca']) {
      const status = await answer((await ask(web, { sans: [uri(other)] })).name);
      assert.equal(conditionsOf(status), ['Denied RefusedByPolicy'], other);
      assert.match(status.conditions?.[0]?.message ?? '', /no rule of the policy allows it/);
      assert.is(status.certificate, undefined);
    }
    const person = await answer((await ask(api.admin, { sans: [uri(identity('shop/web'))] })).name);
    assert.equal(conditionsOf(person), ['Denied NotAServiceAccount']);
    const refused = readFileSync(join(directory, 'audit.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"refused"'));
    assert.is(refused.length, 3);
    assert.match(refused[0] as string, new RegExp(`"caller":"${identity('shop/web')}","by":"csr","identity":"${identity('shop/db')}"`));
    web.close();
  });

  test('host names are the policy’s to allow, and a rule may allow other identities', async () => {
    const web = await as('shop/web');
    const sans = [uri(identity('shop/web')), { type: 'dns', value: 'web.shop.svc' } as const];
    const before = await answer((await ask(web, { sans })).name);
    assert.equal(conditionsOf(before), ['Denied RefusedByPolicy']);
    assert.match(before.conditions?.[0]?.message ?? '', /host name web\.shop\.svc/);
    const who = `callers: ["${identity('shop/web')}"]`;
    writeFileSync(
      join(directory, 'policy.yaml'),
      `allow: [{ ${who}, identities: ["${identity('shop/web')}"], dnsNames: ["web.shop.svc"] }, { ${who}, identities: ["${identity('shop/db')}"], maxTtl: 20m }]\n`,
    );
    const { chain } = await signed(await ask(web, { sans }));
    assert.equal(
      readCertificates(chain)[0]
        ?.sans.map(({ value }) => value)
        .sort(),
      [identity('shop/web'), 'web.shop.svc'],
    );
    const other = readCertificates((await signed(await ask(web, { sans: [uri(identity('shop/db'))] }))).chain)[0];
    assert.ok((other as { notAfter: Date }).notAfter.getTime() <= Date.now() + 20 * 60_000, 'the rule cuts its life');
    rmSync(join(directory, 'policy.yaml'));
    web.close();
  });

  test('what is no request for a certificate of the mesh fails', async () => {
    const web = await as('shop/web');
    const own = [uri(identity('shop/web'))];
    for (const [wish, reason, message] of [
      [{ sans: [] }, 'MalformedRequest', /one SPIFFE ID .* 0 URIs/],
      [{ sans: [...own, uri(identity('shop/db'))] }, 'MalformedRequest', /2 URIs/],
      [{ sans: [uri('https://example.com/')] }, 'MalformedRequest', /no SPIFFE ID/],
      [{ sans: [uri('spiffe://cluster.local')] }, 'MalformedRequest', /names a trust domain/],
      [{ sans: [...own, { type: 'ip', value: '10.0.0.1' }] }, 'MalformedRequest', /type ip/],
      [{ sans: own, annotations: { 'fairlead.dev/replaces': 'no number' } }, 'MalformedRequest', /fairlead\.dev\/replaces/],
      [{ sans: own, usages: [...USAGES, 'cert sign'] }, 'UnsupportedUsages', /not for cert sign/],
      [{ sans: own, usages: ['digital signature', 'client auth'] }, 'UnsupportedUsages', /lack server auth/],
    ] as [Wish, string, RegExp][]) {
      const status = await answer((await ask(web, wish)).name);
      assert.equal(conditionsOf(status), [`Failed ${reason}`], JSON.stringify(wish));
      assert.match(status.conditions?.[0]?.message ?? '', message);
    }
    const weak = spawnSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'rsa:1024',
        '-nodes',
        '-subj',
        '/CN=x',
        '-addext',
        `subjectAltName=URI:${identity('shop/web')}`,
        '-keyout',
        '-',
      ],
      { encoding: 'utf8' },
    ).stdout;
    const csr = /-----BEGIN CERTIFICATE REQUEST-----[\s\S]+/.exec(weak)?.[0] as string;
    const status = await answer((await ask(web, { csr })).name);
    assert.equal(conditionsOf(status), ['Denied RefusedByPolicy']);
    assert.match(status.conditions?.[0]?.message ?? '', /its key is weak/);
    web.close();
  });

  test('the agent of a node gets what pods of its own node are, and nothing else', async () => {
    for (const node of ['n1', 'n2']) await api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
    const agentPod = await api.create(podOf('agent-1', SYSTEM, 'fairlead-agent', 'n1'));
    await api.create(podOf('web-1', 'shop', 'web', 'n1'));
    await api.create(podOf('db-1', 'shop', 'db', 'n2'));
    const agent = await as(`${SYSTEM}/fairlead-agent`, agentPod);
    const { chain } = await signed(await ask(agent, { sans: [uri(identity('shop/web'))] }));
    const entry = (await issuedCertificates(directory, new Date())).find(({ serial }) => serial === readCertificates(chain)[0]?.serial);
    assert.equal([entry?.identity, entry?.caller], [identity('shop/web'), identity(`${SYSTEM}/fairlead-agent`)]);
    await signed(await ask(agent, { sans: [uri(identity(`${SYSTEM}/fairlead-agent`))] }));
    const elsewhere = await answer((await ask(agent, { sans: [uri(identity('shop/db'))] })).name);
    assert.equal(conditionsOf(elsewhere), ['Denied NotOfThisNode']);
    assert.match(elsewhere.conditions?.[0]?.message ?? '', /no pod of the node n1 has the identity .*\/sa\/db/);
    const unbound = await as(`${SYSTEM}/fairlead-agent`);
    const nowhere = await answer((await ask(unbound, { sans: [uri(identity('shop/web'))] })).name);
    assert.equal(conditionsOf(nowhere), ['Denied NotOfThisNode']);
    assert.match(nowhere.conditions?.[0]?.message ?? '', /not bound to a pod/);
    // A pod that has ended is nobody.
    await api.admin.request('/api/v1/namespaces/shop/pods/web-1/status', {
      method: 'PATCH',
      body: { status: { phase: 'Succeeded' } },
      contentType: 'application/merge-patch+json',
    });
    const ended = await answer((await ask(agent, { sans: [uri(identity('shop/web'))] })).name);
    assert.equal(conditionsOf(ended), ['Denied NotOfThisNode']);
    // What only looks like an agent's service account is none.
    const web = await as('shop/web', await api.create(podOf('web-2', 'shop', 'web', 'n2')));
    assert.equal(conditionsOf(await answer((await ask(web, { sans: [uri(identity('shop/db'))] })).name)), ['Denied RefusedByPolicy']);
    for (const client of [agent, unbound, web]) client.close();
  });

  test('somebody’s approval does not replace the policy, and somebody’s denial counts', async () => {
    const web = await as('shop/web');
    proxy.refuse();
    await until('the CA sees nothing', () => proxy.open() === 0);
    const other = await ask(web, { sans: [uri(identity('shop/db'))] });
    const own = await ask(web, { sans: [uri(identity('shop/web'))] });
    const denied = await ask(web, { sans: [uri(identity('shop/web'))] });
    for (const [verb, { name }] of [
      ['approve', other],
      ['approve', own],
      ['deny', denied],
    ] as const) {
      const { status, stderr } = kubectl('certificate', verb, name);
      assert.is(status, 0, stderr);
    }
    proxy.heal();
    const refused = await answer(other.name);
    assert.equal(conditionsOf(refused), ['Approved KubectlApprove', 'Failed RefusedByPolicy']);
    assert.is(refused.certificate, undefined);
    const taken = await answer(own.name);
    assert.equal(conditionsOf(taken), ['Approved KubectlApprove']);
    assert.is(readCertificates(chainOf(taken))[0]?.sans[0]?.value, identity('shop/web'));
    // It comes after the others, so the CA has seen it.
    await signed(await ask(web, { sans: [uri(identity('shop/web'))] }));
    assert.equal(conditionsOf(await statusOf(api, denied.name)), ['Denied KubectlDeny']);
    web.close();
  });

  test('requests of other signers are not touched, and the CA may not touch them', async () => {
    const web = await as('shop/web');
    const other = await ask(web, { sans: [uri(identity('shop/web'))], signerName: 'example.com/other' });
    await signed(await ask(web, { sans: [uri(identity('shop/web'))] }));
    assert.equal(await statusOf(api, other.name), {});
    const ca = await as(`${SYSTEM}/fairlead-ca`);
    const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${other.name}`;
    const object = (await ca.request(path)) as KubeObject;
    const status = { conditions: [{ type: 'Approved', status: 'True', reason: 'x', message: 'x' }] };
    const error = await ca.request(`${path}/approval`, { method: 'PUT', body: { ...object, status } }).catch((e: Error) => e);
    assert.match(String(error), /not permitted to approve requests with signerName "example\.com\/other"/);
    ca.close();
    web.close();
  });

  test('many at once are all signed, each once', async () => {
    const web = await as('shop/web');
    const before = (await issuedCertificates(directory, new Date())).length;
    const all = await Promise.all(Array.from({ length: 40 }, () => ask(web, { sans: [uri(identity('shop/web'))] })));
    for (const asked of all) await signed(asked);
    assert.is((await issuedCertificates(directory, new Date())).length, before + 40);
    web.close();
  });

  test('who asks for too many waits', async () => {
    const db = await as('shop/db');
    writeFileSync(join(directory, 'policy.yaml'), 'rateLimit: { perMinute: 30, burst: 2 }\n');
    const all = await Promise.all(Array.from({ length: 3 }, () => ask(db, { sans: [uri(identity('shop/db'))] })));
    for (const asked of all) await signed(asked);
    assert.match(lines.join(''), /a request waits: its requester asks for too many.*sa\/db/);
    rmSync(join(directory, 'policy.yaml'));
    db.close();
  });

  test('the API server goes away and comes back; a version is forgotten (410); a cut in the middle signs nothing twice', async () => {
    const web = await as('shop/web');
    await api.kill();
    await api.restart();
    await signed(await ask(web, { sans: [uri(identity('shop/web'))] }));
    proxy.refuse();
    const meanwhile = await ask(web, { sans: [uri(identity('shop/web'))] });
    await compact(api.etcd);
    await api.kill();
    await api.restart();
    proxy.heal();
    await signed(meanwhile);
    const before = (await issuedCertificates(directory, new Date())).length;
    const asked: Asked[] = [];
    for (let i = 0; i < 10; i++) {
      asked.push(await ask(web, { sans: [uri(identity('shop/web'))] }));
      proxy.cut();
    }
    for (const one of asked) await signed(one);
    const after = await issuedCertificates(directory, new Date());
    assert.is(after.length - before, 10);
    web.close();
  });

  test('a renewal replaces what it names, and says which trust bundle its holder has', async () => {
    const web = await as('shop/web');
    const sans = [uri(identity('shop/web'))];
    const first = readCertificates((await signed(await ask(web, { sans, annotations: { 'fairlead.dev/trust-bundle': '1' } }))).chain)[0];
    await rotate(directory, 'prepare', { force: false });
    const annotations = { 'fairlead.dev/replaces': first?.serial as string, 'fairlead.dev/trust-bundle': '2' };
    const second = readCertificates((await signed(await ask(web, { sans, annotations }))).chain)[0];
    const silent = readCertificates((await signed(await ask(web, { sans }))).chain)[0];
    const entries = new Map((await issuedCertificates(directory, new Date())).map((entry) => [entry.serial, entry]));
    const about = (serial: string | undefined) => [entries.get(serial as string)?.state, entries.get(serial as string)?.sequence];
    assert.equal(about(first?.serial), ['replaced', 1]);
    assert.equal(about(second?.serial), ['current', 2]);
    assert.equal(about(silent?.serial), ['current', 0], 'nobody knows yet what it has');
    web.close();
  });

  test('a certificate that nobody was given does not count; one that somebody else’s edit delays is the same one', async () => {
    const web = await as('shop/web');
    const sans = [uri(identity('shop/web'))];
    const before = (await issuedCertificates(directory, new Date())).length;
    beforePublishing = async (path) => {
      beforePublishing = undefined;
      await api.admin.request(path.replace('/status', ''), { method: 'DELETE' });
    };
    await ask(web, { sans });
    const last = async () => (await issuedCertificates(directory, new Date())).slice(before);
    await until('it is discarded', async () => (await last())[0]?.state === 'discarded');
    beforePublishing = async (path) => {
      beforePublishing = undefined;
      const change = { metadata: { labels: { by: 'somebody' } } };
      await api.admin.request(path.replace('/status', ''), { method: 'PATCH', body: change, contentType: 'application/merge-patch+json' });
    };
    await signed(await ask(web, { sans }));
    assert.equal(
      (await last()).map(({ state }) => state),
      ['discarded', 'current'],
    );
    web.close();
  });

  test('what was asked for while no CA was there is signed by the next one', async () => {
    const web = await as('shop/web');
    await server?.close();
    const asked = await ask(web, { sans: [uri(identity('shop/web'))] });
    await serve();
    await signed(asked);
    web.close();
  });
}

test.run();
