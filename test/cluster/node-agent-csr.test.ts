/** Certificates for an agent by the CSR API, signed here by hand: what is denied, fails or stays unanswered, and what follows the roots. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCertificates } from '../../agent/identity/certificates.ts';
import { openCsrIssuer } from '../../agent/identity/csr-issuer.ts';
import type { Issuer } from '../../agent/identity/issuer.ts';
import { openIdentityStore } from '../../agent/identity/store.ts';
import { createLog } from '../../agent/log.ts';
import type { FairleadError } from '../../src/errors.ts';
import { type Authority, authorityOf, createRoot, issueSvid } from '../../src/pki/authority.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import { readRequest } from '../../src/pki/request.ts';
import { namespaceOf, until } from '../support/cluster-objects.ts';
import { clientOf, startKubeApi, tokenOf } from '../support/kube-api.ts';

const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
let roots = 0;
const started = await startKubeApi();

if ('missing' in started) {
  console.log(`SKIP certificates by the CSR API: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-csr-'));
  const rootsFile = join(folder, 'root-cert.pem');
  const lines: string[] = [];
  const log = createLog('text', 'debug', (line) => lines.push(line));
  const issuers: Issuer[] = [];
  let authority = await newAuthority();
  let agent = api.admin;

  test.after(async () => {
    for (const issuer of issuers) issuer.close();
    if (agent !== api.admin) agent.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const store = openIdentityStore(join(folder, 'data'));
  const issuerOf = (patienceMs?: number): Issuer => {
    const issuer = openCsrIssuer({
      cluster: agent,
      rootsFile,
      trustDomain: 'cluster.local',
      nodeName: 'node-1',
      store,
      ...(patienceMs ? { patienceMs } : {}),
    });
    issuers.push(issuer);
    return issuer;
  };
  const identity = (account: string): string => `spiffe://cluster.local/ns/shop/sa/${account}`;
  const wish = async (account: string) => ({
    identity: identity(account),
    dnsNames: [],
    key: await generateKey('ec-p256'),
    lifeMs: 3_600_000,
    replaces: undefined,
  });
  const list = async (): Promise<Csr[]> => ((await api.admin.request(PATH)) as { items: Csr[] }).items;
  const isOpen = ({ status }: Csr): boolean => !status?.certificate && !status?.conditions?.length;
  /** Waits for a request, and answers it. */
  async function answer(how: (csr: Csr) => Partial<NonNullable<Csr['status']>>): Promise<Csr> {
    let csr: Csr | undefined;
    await until('a request is there', async () => {
      csr = (await list()).find(isOpen);
      return csr !== undefined;
    });
    const open = csr as Csr;
    const { conditions, certificate } = how(open);
    const approval = await api.admin.request(`${PATH}/${open.metadata.name}/approval`, {
      method: 'PUT',
      body: { ...open, status: { conditions: conditions ?? [{ type: 'Approved', status: 'True', reason: 'Test' }] } },
    });
    if (certificate)
      await api.admin.request(`${PATH}/${open.metadata.name}/status`, {
        method: 'PUT',
        body: { ...(approval as Csr), status: { ...(approval as Csr).status, certificate } },
      });
    return open;
  }
  const signed = (csr: Csr): { certificate: string } => {
    const request = readRequest(Buffer.from(csr.spec.request, 'base64').toString());
    const svid = issueSvid(authority, {
      identity: request.sans[0]?.value as string,
      publicKey: request.publicKeyInfo,
      rsa: false,
      dnsNames: [],
      lifeMs: 3_600_000,
      now: new Date(),
    });
    return { certificate: Buffer.from(toPem('CERTIFICATE', svid.der)).toString('base64') };
  };
  const codeOf = (work: Promise<unknown>): Promise<FairleadError> =>
    work.then(
      () => assert.unreachable(),
      (error: unknown) => error,
    ) as Promise<FairleadError>;

  test('a certificate comes with the roots; the request says what it is for, and needs no more rights than an installation gives', async () => {
    await api.create(namespaceOf('fairlead-system'));
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'fairlead-agent', namespace: 'fairlead-system' } });
    await api.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'agent' },
      rules: [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create', 'get'] }],
    });
    await api.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'agent' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'agent' },
      subjects: [{ kind: 'ServiceAccount', name: 'fairlead-agent', namespace: 'fairlead-system' }],
    });
    agent = clientOf(api.kubeconfigFor('agent', await tokenOf(api, 'fairlead-system', 'fairlead-agent')));
    const issuer = issuerOf();
    assert.is((await codeOf(issuer.issue(await wish('web')))).code, 'E_CERTIFICATE_UNREADABLE');
    assert.equal(await list(), [], 'nothing is asked for that could not be used');
    writeFileSync(rootsFile, authority.pem);
    const [issued, csr] = await Promise.all([wish('web').then((w) => issuer.issue(w)), answer(signed)]);
    assert.is(issued.identity, identity('web'));
    assert.is(issued.roots, authority.pem);
    assert.is(csr.spec.signerName, 'fairlead.dev/mesh');
    assert.is(csr.spec.expirationSeconds, 3600);
    assert.equal(csr.spec.usages, ['digital signature', 'client auth', 'server auth']);
    assert.is(csr.metadata.labels?.['fairlead.dev/node'], 'node-1');
  });

  test('what is denied, or fails, says why', async () => {
    const deny = (type: string) => () => ({
      conditions: [{ type, status: 'True', reason: 'NotOfThisNode', message: 'no pod of it is here' }],
    });
    const [denied] = await Promise.all([codeOf(wish('a').then((w) => issuerOf().issue(w))), answer(deny('Denied'))]);
    assert.is(denied.code, 'E_CA_REFUSED');
    assert.match(
      denied.message,
      /denies spiffe:\/\/cluster\.local\/ns\/shop\/sa\/a \(request fairlead-\w+\): NotOfThisNode: no pod of it is here/,
    );
    const [failed] = await Promise.all([codeOf(wish('a').then((w) => issuerOf().issue(w))), answer(deny('Failed'))]);
    assert.match(failed.message, /cannot sign spiffe:.*: NotOfThisNode/);
  });

  test('a certificate that nobody would take is not taken', async () => {
    const mine = authority;
    authority = await newAuthority();
    const [error] = await Promise.all([codeOf(wish('b').then((w) => issuerOf().issue(w))), answer(signed)]);
    authority = mine;
    assert.match(error.message, /is not under the roots in .*root-cert\.pem/);
  });

  test('what nobody signs is given up in time, and said; requests are made a few at a time', async () => {
    const issuer = issuerOf(1500);
    const before = (await list()).length;
    const wishes = await Promise.all(Array.from({ length: 10 }, (_, i) => wish(`many-${i}`)));
    const all = Promise.all(wishes.map((w) => codeOf(issuer.issue(w))));
    await until('four are there', async () => (await list()).length === before + 4);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.is((await list()).length, before + 4, 'no more than four are open');
    const errors = await all;
    assert.is((await list()).length, before + 10);
    for (const error of errors) assert.match(error.message, /nobody has signed the request fairlead-\w+ for .* within 1\.5 s/);
    assert.is(errors[0]?.code, 'E_CA_WAITING');
    for (const csr of (await list()).filter(isOpen)) await api.admin.request(`${PATH}/${csr.metadata.name}`, { method: 'DELETE' });
  });

  test('new roots are taken over at once, and a certificate that is not under them is renewed', async () => {
    let changes = 0;
    const certificates = createCertificates({
      store,
      issuer: async () => issuerOf(),
      lifeMs: 3_600_000,
      log,
      changed: () => void changes++,
      inForce: () => certificates.trust()?.sequence ?? 0,
    });
    const wanted = { identity: identity('web'), dnsNames: [] };
    await Promise.all([certificates.want([wanted], 20_000), answer(signed)]);
    const first = certificates.get(wanted);
    assert.ok(first);
    const next = await newAuthority();
    writeFileSync(rootsFile, authority.pem + next.pem);
    await until('both roots are trusted', () => certificates.trust()?.roots === authority.pem + next.pem);
    assert.is(certificates.get(wanted)?.serial, first?.serial, 'it is good under both');
    authority = next;
    writeFileSync(rootsFile, next.pem);
    await answer(signed);
    await until('it is renewed', () => certificates.get(wanted)?.serial !== first?.serial);
    assert.is(certificates.trust()?.roots, next.pem);
    certificates.close();
  });
}

test.run();

/** A root that signs by itself. */
async function newAuthority(): Promise<Authority & { pem: string }> {
  const subject = { organization: 'cluster.local', commonName: `Root ${++roots}` };
  const root = await createRoot({ trustDomain: 'cluster.local', algorithm: 'ec-p256', subject, now: new Date(), lifeMs: 86_400_000 });
  return { ...authorityOf('cluster.local', root, [], root.certificate), pem: root.certificate.pem };
}

interface Csr {
  metadata: { name: string; labels?: Record<string, string> };
  spec: { request: string; signerName: string; usages: string[]; expirationSeconds?: number };
  status?: { certificate?: string; conditions?: object[] };
}
