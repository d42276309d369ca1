/** A CA of several pods: `fairlead ca serve` as processes, whose keys and state are in a Secret of a real API server. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifestsOf } from '../../src/install/manifests.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { createRequest } from '../../src/pki/request.ts';
import { fairlead, type Running, startFairlead } from '../support/cli.ts';
import { namespaceOf, until } from '../support/cluster-objects.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { freePorts } from '../support/free-ports.ts';
import { type KubeObject, startKubeApi } from '../support/kube-api.ts';
import { accountToken, allowRequests, answered, ask, chainOf, clientAs, identityOf, SIGNER, uri } from '../support/signing-requests.ts';

const SYSTEM = 'fairlead-system';
const SECRET = 'fairlead-ca-state';
const started = await startKubeApi();

if ('missing' in started) {
  console.log(`SKIP a CA of several pods: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-shared-'));
  const proxy = await startCutProxy(api.port);

  interface Pod {
    name: string;
    directory: string;
    port: number;
    peerPort: number;
    env: Record<string, string>;
    running: Running | undefined;
  }
  const pods: Record<'a' | 'b', Pod> = { a: await podOf('a', proxy.port), b: await podOf('b', api.port) };

  test.after(async () => {
    for (const { running } of Object.values(pods)) {
      running?.child.kill('SIGKILL');
      await running?.ended;
    }
    await proxy.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function podOf(name: string, apiPort: number): Promise<Pod> {
    const [port, peerPort] = (await freePorts(2)) as [number, number];
    return { name, directory: join(folder, name), port, peerPort, env: { API_PORT: String(apiPort) }, running: undefined };
  }

  const init = (pod: Pod, ...more: string[]) =>
    fairlead(['ca', 'init', '--if-missing', '--ca-dir', pod.directory, '--state-secret', `${SYSTEM}/${SECRET}`, ...more], { env: pod.env });

  async function serve(pod: Pod): Promise<void> {
    pod.running = startFairlead(
      [
        ...['ca', 'serve', '-k', '--ca-dir', pod.directory, '--port', String(pod.port), '--state-secret', `${SYSTEM}/${SECRET}`],
        ...['--advertise', '127.0.0.1', '--peer-port', String(pod.peerPort), '--roots-config-map', `${SYSTEM}/fairlead-ca-roots`],
        ...['--signer', SIGNER, '--log-format', 'json'],
      ],
      pod.env,
    );
    await until(`${pod.name} takes connections`, () => said(pod).includes('takes connections')).catch(told);
  }

  const said = ({ running }: Pod): string => running?.err() ?? '';
  const told = (error: Error): never => {
    throw new Error(`${error.message}\na: ${said(pods.a)}\nb: ${said(pods.b)}`);
  };
  const leads = (pod: Pod): boolean => said(pod).lastIndexOf('this CA leads') > Math.max(said(pod).lastIndexOf('lease is lost'), -1);
  const leaderNow = async (): Promise<string> => {
    const { spec } = (await api.admin.request(`/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/${SECRET}`)) as {
      spec: { holderIdentity?: string };
    };
    return spec.holderIdentity ?? '';
  };
  const isLeader = async (pod: Pod): Promise<boolean> => (await leaderNow()).endsWith(`:${pod.peerPort}`) && leads(pod);

  interface Answer {
    status: number | undefined;
    body: Record<string, unknown>;
  }
  const post = (port: number, headers: Record<string, string>, body: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = requestTls(
        { host: 'localhost', port, path: '/v1/sign', method: 'POST', headers, rejectUnauthorized: false, agent: false },
        async (answer) => {
          let text = '';
          for await (const chunk of answer) text += chunk;
          resolve({ status: answer.statusCode, body: JSON.parse(text) as Record<string, unknown> });
        },
      );
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
  const csr = async (): Promise<string> => createRequest(await generateKey('ec-p256'), []);
  const bearer = async (): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await accountToken(api, 'shop/web', { audiences: ['istio-ca'] })}`,
  });
  const signsAt = async (port: number): Promise<Answer> => post(port, await bearer(), { csr: await csr() });
  const stateOf = (text: string): { sequence: number; authorities: { id: string; stage: string; root: string }[] } =>
    JSON.parse(text) as never;
  const inSecret = async (): Promise<ReturnType<typeof stateOf>> => {
    const { data } = (await api.admin.request(`/api/v1/namespaces/${SYSTEM}/secrets/${SECRET}`)) as { data: Record<string, string> };
    return stateOf(Buffer.from(data['state.json'] as string, 'base64').toString());
  };
  const inDirectory = ({ directory }: Pod) => stateOf(readFileSync(join(directory, 'state.json'), 'utf8'));

  test('an installation’s objects are there', async () => {
    const objects = manifestsOf(resolveSettings({ profile: 'minimal', definitions: false }, { revision: '', version: '1.2.3' }), '1.2.3');
    await api.create(namespaceOf(SYSTEM));
    await api.create(namespaceOf('shop'));
    const kinds = /^(Role|ClusterRole|ServiceAccount|ConfigMap|Secret|Lease)/;
    for (const object of objects)
      if (kinds.test(object.kind) && object.metadata.name.startsWith('fairlead-ca')) await api.create(object as KubeObject);
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: 'shop' } });
    await allowRequests(api);
    for (const pod of Object.values(pods)) {
      const token = await accountToken(api, `${SYSTEM}/fairlead-ca`);
      pod.env = { KUBECONFIG: api.kubeconfigFor(`ca-${pod.name}`, token, Number(pod.env['API_PORT'])) };
    }
  });

  test('two that begin at once begin one CA, and a third finds it', async () => {
    const c = await podOf('c', api.port);
    c.env = pods.b.env;
    const both = await Promise.all([init(pods.a), init(pods.b)]);
    assert.equal(
      both.map(({ code }) => code),
      [0, 0],
      both.map(({ err }) => err).join(''),
    );
    assert.is((await init(c)).code, 0);
    const state = await inSecret();
    for (const pod of [pods.a, pods.b, c]) assert.equal(inDirectory(pod), state);
    const again = await fairlead(['ca', 'init', '--ca-dir', join(folder, 'd'), '--state-secret', `${SYSTEM}/${SECRET}`], { env: c.env });
    assert.is(again.code, 3);
    assert.match(again.err, /E_CA_EXISTS|ca\/exists|never overwritten/);
  });

  test('one leads, and both answer; every request is signed once', async () => {
    await serve(pods.a);
    await until('a leads', () => isLeader(pods.a)).catch(told);
    await serve(pods.b);
    for (const { port } of Object.values(pods)) {
      const { status, body } = await signsAt(port);
      assert.is(status, 200, JSON.stringify(body));
      assert.is(body['identity'], identityOf('shop/web'));
    }
    const web = await clientAs(api, 'shop/web');
    const asked = await ask(web, { sans: [uri(identityOf('shop/web'))] });
    const status = await answered(api, asked.name, () => said(pods.a) + said(pods.b));
    assert.match(chainOf(status), /BEGIN CERTIFICATE/);
    web.close();
    assert.not(leads(pods.b));
    assert.not(said(pods.b).includes('a request is signed'));
    // What is issued is in the log of the pod, which outlives its files.
    assert.match(said(pods.a), /"message":"audit","entry":\{"event":"issued"/);
  });

  test('a join token is good once, whichever pod made it and whichever is asked', async () => {
    const made = await fairlead(['ca', 'token', 'spiffe://cluster.local/fairlead/node/n1', '--ca-dir', pods.b.directory], {
      env: pods.b.env,
    });
    assert.is(made.code, 0, made.err);
    const headers = { authorization: `Join ${made.out.trim()}` };
    // The leader learns of it by its watch.
    let answer: Answer | undefined;
    await until('it is known', async () => {
      answer = await post(pods.a.port, headers, { csr: await csr() });
      return answer.status !== 401;
    }).catch(told);
    assert.is(answer?.status, 200, JSON.stringify(answer?.body));
    for (const { port } of Object.values(pods)) assert.is((await post(port, headers, { csr: await csr() })).status, 401);
  });

  test('of two changes at once one is made, and the leader signs by what was changed', async () => {
    const both = await Promise.all(
      Object.values(pods).map(({ directory, env }) => fairlead(['ca', 'rotate', 'prepare', '--ca-dir', directory], { env })),
    );
    assert.is(both.filter(({ code }) => code === 0).length, 1, both.map(({ err }) => err).join('\n'));
    const state = await inSecret();
    assert.equal(
      state.authorities.map(({ stage }) => stage),
      ['active', 'prepared'],
    );
    await until('all have it', () => Object.values(pods).every((pod) => inDirectory(pod).sequence === state.sequence)).catch(told);
    await until('the leader gives both roots', async () => {
      const { body } = await signsAt(pods.b.port);
      return String(body['roots']).match(/BEGIN CERTIFICATE/g)?.length === 2;
    }).catch(told);
  });

  test('a leader that is killed is followed by the other, with the same keys; what it issued is waited for', async () => {
    const before = await inSecret();
    pods.a.running?.child.kill('SIGKILL');
    await pods.a.running?.ended;
    await until('b leads', () => isLeader(pods.b), 60_000).catch(told);
    const { status, body } = await signsAt(pods.b.port);
    assert.is(status, 200, JSON.stringify(body));
    assert.equal(await inSecret(), before);
    const { out } = await fairlead(['ca', 'rotate', 'status', '-o', 'json', '--ca-dir', pods.b.directory], { env: pods.b.env });
    const behind = (JSON.parse(out) as { behind: { identity: string; authority: string }[] }).behind;
    assert.ok(
      behind.some(({ identity, authority }) => /another pod/.test(identity) && authority === before.authorities[0]?.id),
      out,
    );
  });

  test('one that comes back is the standby, and takes over at once when the leader ends well', async () => {
    await serve(pods.a);
    assert.is((await signsAt(pods.a.port)).status, 200);
    pods.b.running?.child.kill('SIGTERM');
    assert.is(await pods.b.running?.ended, 0);
    const since = await until('a leads', () => isLeader(pods.a), 60_000).catch(told);
    assert.type(since, 'number');
    assert.is((await signsAt(pods.a.port)).status, 200);
    await serve(pods.b);
  });

  test('a leader that was stopped signs nothing when it goes on, also on a connection that it had', async () => {
    const headers = await bearer();
    const socket = await connected(pods.a.peerPort);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const child = pods.a.running?.child;
    child?.kill('SIGSTOP');
    const body = JSON.stringify({ csr: await csr() });
    const lines = [
      'POST /v1/sign HTTP/1.1',
      'host: localhost',
      `authorization: ${headers['authorization']}`,
      `content-length: ${body.length}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    await until('b leads', () => isLeader(pods.b), 60_000).catch(told);
    const issued = said(pods.a).split('"event":"issued"').length;
    child?.kill('SIGCONT');
    await until('a knows', () => said(pods.a).includes('lease is lost'), 30_000).catch(told);
    await Promise.race([closed, until('it is answered', () => answer !== '')]);
    assert.not.match(answer, /^HTTP\/1\.1 200/);
    assert.is(said(pods.a).split('"event":"issued"').length, issued);
    socket.destroy();
    assert.is((await signsAt(pods.a.port)).status, 200, 'it passes on to the other');
  });

  test('a leader that is cut off from the API server ends before the other leads', async () => {
    // a is the one behind the proxy that can be cut.
    pods.b.running?.child.kill('SIGTERM');
    await pods.b.running?.ended;
    await until('a leads', () => isLeader(pods.a), 60_000).catch(told);
    await serve(pods.b);
    const from = said(pods.a).length;
    proxy.refuse();
    await until('b leads', () => isLeader(pods.b), 60_000).catch(told);
    assert.match(said(pods.a).slice(from), /lease is lost/);
    const refused = await signsAt(pods.a.port).then(
      ({ status }) => status !== 200,
      () => true,
    );
    assert.ok(refused, 'it neither signs nor knows who does');
    proxy.heal();
    await until('a passes on again', async () => (await signsAt(pods.a.port).catch(() => undefined))?.status === 200).catch(told);
  });

  test('the keys of a volume are moved; without them no second CA is made where one has published its roots', async () => {
    const volume = join(folder, 'volume');
    mkdirSync(volume);
    const own = join(volume, 'authority');
    assert.is((await fairlead(['ca', 'init', '--ca-dir', own])).code, 0);
    const state = readFileSync(join(own, 'state.json'), 'utf8');
    await api.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'moved', namespace: SYSTEM } });
    const args = ['ca', 'init', '--if-missing', '--state-secret', `${SYSTEM}/moved`, '--roots-config-map', `${SYSTEM}/fairlead-ca-roots`];
    const admin = { KUBECONFIG: api.kubeconfig };
    const refused = await fairlead([...args, '--ca-dir', join(folder, 'e')], { env: admin });
    assert.is(refused.code, 3);
    assert.match(refused.err, /its keys are not in the Secret fairlead-system\/moved/);
    const moved = await fairlead([...args, '--ca-dir', own], { env: admin });
    assert.is(moved.code, 0, moved.err);
    const { data } = (await api.admin.request(`/api/v1/namespaces/${SYSTEM}/secrets/moved`)) as { data: Record<string, string> };
    assert.is(Buffer.from(data['state.json'] as string, 'base64').toString(), state);
    assert.is(Object.keys(data).filter((key) => key.startsWith('keys.')).length, 2);
    // And the next pod, without the volume, has them.
    const next = join(folder, 'f');
    assert.is((await fairlead([...args, '--ca-dir', next], { env: admin })).code, 0);
    assert.is(readFileSync(join(next, 'state.json'), 'utf8'), state);
    writeFileSync(join(folder, 'request.pem'), await csr());
    const issued = await fairlead(['cert', 'issue', 'shop/web', '--ca-dir', next, '--out', join(folder, 'web')], { env: admin });
    assert.is(issued.code, 0, issued.err);
    const verified = spawnSync(
      'openssl',
      [
        'verify',
        '-CAfile',
        join(folder, 'web/root-cert.pem'),
        '-untrusted',
        join(folder, 'web/cert-chain.pem'),
        join(folder, 'web/cert-chain.pem'),
      ],
      { encoding: 'utf8' },
    );
    assert.is(verified.status, 0, verified.stderr);
  });
}

test.run();

function connected(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: 'localhost', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => resolve(socket));
    socket.once('error', reject);
  });
}
