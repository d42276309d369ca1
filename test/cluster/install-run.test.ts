/** What an installation consists of really runs: the containers' own command lines as processes, as their own service accounts. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { fairlead, type Running } from '../support/cli.ts';
import { namespaceOf, ownAddress, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { startBackend, statusOf } from '../support/cluster-traffic.ts';
import { type Container, startContainer } from '../support/containers.ts';
import { freePorts } from '../support/free-ports.ts';
import { clientOf, type KubeObject, startKubeApi } from '../support/kube-api.ts';

const NAMESPACE = 'fairlead-system';
const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP a running installation: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const [caPort, peerPort, apiPort, metricsPort, httpPort] = (await freePorts(5)) as [number, number, number, number, number];
  const backend = await startBackend('catalog');
  const running: Running[] = [];
  const instead = {
    '/var/lib/fairlead-ca': join(folder, 'ca'),
    '/var/lib/fairlead': join(folder, 'gateway'),
    '/var/run/secrets/fairlead': join(folder, 'secrets'),
    '/tmp': join(folder, 'tmp'),
    '15012': String(caPort),
    '15013': String(peerPort),
    'status.podIP': '127.0.0.1',
    '15000': String(apiPort),
    '15020': String(metricsPort),
    [`fairlead-ca.${NAMESPACE}.svc:15012`]: `localhost:${caPort}`,
  };

  test.after(async () => {
    for (const { child, ended } of running) {
      child.kill('SIGTERM');
      await ended;
    }
    backend.server.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const deployment = async (name: string): Promise<{ template: { metadata: object; spec: PodSpec } }> => {
    const { spec } = (await api.admin.request(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}`)) as KubeObject;
    return spec as { template: { metadata: object; spec: PodSpec } };
  };
  const tokenOf = async (account: string, audiences?: string[]): Promise<string> => {
    const { status } = (await api.admin.request(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`, {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: audiences ? { audiences } : {} },
    })) as { status: { token: string } };
    return status.token;
  };
  /** A kubeconfig of a service account of the installation. */
  const as = async (account: string): Promise<string> => api.kubeconfigFor(account, await tokenOf(account));

  test('it is installed', async () => {
    const settings = {
      gateways: {
        ingressgateway: { engine: 'embedded', ports: [{ name: 'http', port: 80, targetPort: httpPort }], credentials: ['shop-cert'] },
      },
    };
    writeFileSync(join(folder, 'settings.yaml'), JSON.stringify(settings));
    const { code, err } = await fairlead(['install', '-f', join(folder, 'settings.yaml'), '--yes', '--no-wait'], {
      env: { KUBECONFIG: api.kubeconfig },
    });
    assert.is(code, 0, err);
  });

  test('the API server takes its pods; all but those of the node’s agent under the standard `restricted`', async () => {
    const strict = 'strict';
    await api.create({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: strict, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const podOf = (name: string, namespace: string, template: { metadata: object; spec: PodSpec }): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: `${name}-1`, namespace },
      spec: template.spec,
    });
    for (const name of ['fairlead-ca', 'ingressgateway', 'fairlead-webhook']) {
      const { template } = await deployment(name);
      await api.create(podOf(name, NAMESPACE, template));
      await api.create(podOf(name, strict, template));
    }
    const { spec } = (await api.admin.request(`/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/fairlead-agent`)) as KubeObject;
    const { template } = spec as { template: { metadata: object; spec: PodSpec } };
    await api.create(podOf('fairlead-agent', NAMESPACE, template));
    const refused = await api.create(podOf('fairlead-agent', strict, template)).catch((error: Error) => error);
    assert.match(String(refused), /restricted/);
    // Nothing in it is more than a folder of the node, and the right to hand that over once.
    assert.match(String(refused), /hostPath/);
    assert.not.match(String(refused), /privileged|hostNetwork|host namespaces|seccomp/i);
  });

  test('the CA begins, begins again, and publishes its roots', async () => {
    const { template } = await deployment('fairlead-ca');
    const [init] = template.spec.initContainers as [Container];
    const [ca] = template.spec.containers as [Container];
    const kubeconfig = await as('fairlead-ca');
    for (let i = 0; i < 2; i++) assert.is(await startContainer(init, instead, kubeconfig).ended, 0);
    running.push(startContainer(ca, instead, kubeconfig));
    await until('the roots are published', async () => (await roots()) !== undefined).catch((error: Error) => {
      throw new Error(`${error.message}\n${running.at(-1)?.err()}`);
    });
    assert.match((await roots()) as string, /BEGIN CERTIFICATE/);
    mkdirSync(join(folder, 'secrets/roots'), { recursive: true });
    writeFileSync(join(folder, 'secrets/roots/root-cert.pem'), (await roots()) as string);
    assert.match(readFileSync(join(folder, 'ca/authority/state.json'), 'utf8'), /cluster\.local/);
  });

  async function roots(): Promise<string | undefined> {
    const { data } = (await api.admin.request(`/api/v1/namespaces/${NAMESPACE}/configmaps/fairlead-ca-roots`)) as KubeObject;
    return (data as Record<string, string> | undefined)?.['root-cert.pem'];
  }

  test('the CA takes tokens that are meant for it, and no others', async () => {
    const ask = async (token: string): Promise<{ status: number | undefined; text: string }> =>
      post(caPort, join(folder, 'secrets/roots/root-cert.pem'), token);
    const elsewhere = await ask(await tokenOf('ingressgateway'));
    assert.is(elsewhere.status, 401);
    assert.match(elsewhere.text, /not meant for istio-ca/);
    assert.match((await ask('abc')).text, /no JSON Web Token/);
    const [head, body] = (await tokenOf('ingressgateway', ['istio-ca'])).split('.');
    const forged = await ask(`${head}.${body}.${Buffer.from('forged').toString('base64url')}`);
    assert.is(forged.status, 401);
    assert.not.match(forged.text, new RegExp(String(body)));
    // It is known who asks: what is wrong now is the request.
    const known = await ask(await tokenOf('ingressgateway', ['istio-ca']));
    assert.not.equal(known.status, 401, known.text);
  });

  test('the gateway gets its certificate, finds its own pod, and serves a Gateway', async () => {
    const { template } = await deployment('ingressgateway');
    const [gateway] = template.spec.containers as [Container & { readinessProbe: { httpGet: { path: string } } }];
    mkdirSync(join(folder, 'secrets/token'), { recursive: true });
    writeFileSync(join(folder, 'secrets/token/istio-token'), await tokenOf('ingressgateway', ['istio-ca']));
    const agent = startContainer(gateway, instead, await as('ingressgateway'));
    running.push(agent);
    const ready = (): Promise<number | undefined> => statusOf(`http://127.0.0.1:${metricsPort}${gateway.readinessProbe.httpGet.path}`);
    await until('it answers', async () => (await ready()) === 503, 30_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent.err()}`);
    });
    const pod = `/api/v1/namespaces/${NAMESPACE}/pods/ingressgateway-1/status`;
    const body = { status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } };
    await api.admin.request(pod, { method: 'PATCH', body, contentType: 'application/merge-patch+json' });
    await until('it is ready', async () => (await ready()) === 200).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent.err()}`);
    });
    await api.create(namespaceOf('shop'));
    await api.create(serviceOf('catalog', 'shop', backend.port));
    await api.create(sliceOf('catalog', 'shop', backend.port, [address]));
    const rule = (kind: string, spec: object): KubeObject => ({
      apiVersion: 'networking.istio.io/v1',
      kind,
      metadata: { name: 'shop', namespace: 'shop' },
      spec,
    });
    await api.create(
      rule('Gateway', {
        selector: { istio: 'ingressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['shop.example.com'] }],
      }),
    );
    await api.create(
      rule('VirtualService', {
        hosts: ['shop.example.com'],
        gateways: ['shop'],
        http: [{ route: [{ destination: { host: 'catalog', port: { number: backend.port } } }] }],
      }),
    );
    await until('the shop is served', async () => (await textOf(`http://127.0.0.1:${httpPort}/`, 'shop.example.com')) === 'catalog').catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${agent.err()}`);
      },
    );
    const { stdout } = spawnSync(
      'openssl',
      ['x509', '-in', join(folder, 'gateway/agent/identity/node.pem'), '-noout', '-ext', 'subjectAltName'],
      { encoding: 'utf8' },
    );
    assert.match(stdout, new RegExp(`spiffe://cluster.local/ns/${NAMESPACE}/sa/ingressgateway`));
    // Secrets of other clusters are not for gateways.
    const log = agent.err().replaceAll(/^.*istio\/multiCluster.*$/gm, '');
    assert.not.match(log, /not all of .* may be read|cannot (list|watch|get)/, log);
  });

  test('its service accounts may do what they do, and nothing else', async () => {
    const gateway = clientOf(await as('ingressgateway'));
    const ca = clientOf(await as('fairlead-ca'));
    const denied = async (what: Promise<unknown>): Promise<void> => {
      const error = await what.then(() => undefined).catch((e: unknown) => e);
      assert.ok(isForbidden(error), String(error));
    };
    const own = `/api/v1/namespaces/${NAMESPACE}`;
    try {
      await gateway.request(`${own}/configmaps?fieldSelector=metadata.name%3Distio`);
      await gateway.request(`${own}/secrets?fieldSelector=metadata.name%3Dshop-cert`);
      await denied(gateway.request(`${own}/secrets`));
      await denied(gateway.request(`${own}/secrets/other`));
      await denied(gateway.request('/api/v1/secrets'));
      await denied(gateway.request('/api/v1/namespaces/kube-system/configmaps'));
      await denied(gateway.request('/apis/apps/v1/deployments'));
      await denied(gateway.request(`${own}/configmaps/fairlead-ca-roots`, { method: 'DELETE' }));
      await denied(gateway.request('/apis/networking.istio.io/v1/namespaces/shop/virtualservices/shop', { method: 'DELETE' }));
      await denied(ca.request(`${own}/configmaps`));
      await denied(ca.request(`${own}/configmaps/istio`, { method: 'PATCH', body: {}, contentType: 'application/merge-patch+json' }));
      await denied(ca.request(`${own}/secrets`));
      await denied(ca.request('/api/v1/nodes'));
      await denied(ca.request(`${own}/pods/${NAMESPACE}-1`, { method: 'DELETE' }));
      await denied(ca.request('/apis/certificates.k8s.io/v1/certificatesigningrequests/a', { method: 'DELETE' }));
    } finally {
      gateway.close();
      ca.close();
    }
  });

  test('both end well', async () => {
    for (const { child, ended } of running.splice(0).reverse()) {
      child.kill('SIGTERM');
      assert.is(await ended, 0);
    }
  });
}

test.run();

interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
}

function textOf(url: string, host: string): Promise<string> {
  return new Promise((resolve) => {
    get(url, { headers: { host } }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(text);
    }).on('error', (error) => resolve(error.message));
  });
}

function post(port: number, ca: string, token: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = requestTls(
      { host: 'localhost', port, path: '/v1/sign', method: 'POST', headers, ca: readFileSync(ca) },
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        resolve({ status: answer.statusCode, text });
      },
    );
    sent.on('error', reject);
    sent.end('{}');
  });
}
