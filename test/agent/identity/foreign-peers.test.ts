// test: exclusive
/**
 * Peers that we did not write, on both engines: clients of a workload under STRICT and of gateways, servers of calls to the outside; and
 * certificates that must not do, each refused, and each called what it is by `cert verify`.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readState } from '../../../agent/ca/directory.ts';
import { initCa } from '../../../agent/ca/init.ts';
import { loadKey } from '../../../agent/ca/keys.ts';
import { activeOf } from '../../../agent/ca/state.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { generateKey, keyToPem, publicKeyInfo } from '../../../src/pki/keys.ts';
import type { SubjectAltName } from '../../../src/pki/names.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { signCertificate } from '../../../src/pki/sign-certificate.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { tlsFailureText } from '../../../src/telemetry/tls-failure.ts';
import { type Issued, makeRoot, signerOf } from '../../pki/authority.ts';
import { startBackend } from '../../support/backend.ts';
import { fairlead } from '../../support/cli.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { createClient, until } from '../../support/http.ts';
import { client, secured, service, startMesh, type TestMesh, testPort } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';
import { type Call, curl, type ForeignServer, goClient, openssl, opensslServer, python, pythonServer } from './foreign-peers.ts';

const envoy = realEnvoy();
const DAY = 86_400_000;
const BILLING = 'spiffe://cluster.local/ns/default/sa/billing';
const SHOP = 'shop.example.com';
const OUTSIDE = 'outside.example.com';

type Pair = { cert: string; key: string };

/** What is wrong with a certificate, the code by which `cert verify` tells it, and what the proxies say of it. */
const BAD = {
  expired: { fault: 'expired', said: /has expired/ },
  'not yet valid': { fault: 'not-yet-valid', said: /not valid yet/ },
  'wrong name': { fault: 'wrong-name', said: /another name|a name that its CA|is refused/ },
  'wrong root': { fault: 'unknown-root', said: /no CA that is trusted/ },
  'weak key': { fault: 'weak-key', said: /./ },
  tampered: { fault: 'bad-signature', said: /signature|refused|no CA/ },
} as const;
type Bad = keyof typeof BAD;

interface Kit {
  folder: string;
  /** Signs for workloads: the mesh's own CA. */
  mesh: Issued & { above: string };
  /** A root of the public. */
  world: Issued & { above: string };
  file(name: string, text: string): string;
  pair(name: string, by: Issued & { above: string }, san: SubjectAltName, bad?: Bad): Promise<Pair>;
}

async function kitOf(folder: string, ca: string): Promise<Kit> {
  const active = activeOf(readState(ca))!;
  const chain = readCertificates(active.chain.join(''));
  const mesh = { certificate: chain[0]!, key: loadKey(ca, active.signerKey, undefined), above: active.chain.join('') };
  const world = { ...(await makeRoot({ subject: { commonName: 'world' } })), above: '' };
  const stranger = { ...(await makeRoot({ subject: { commonName: 'stranger' } })), above: '' };
  let files = 0;
  const file = (name: string, text: string): string => {
    const path = join(folder, `${files++}-${name.replaceAll(' ', '-')}.pem`);
    writeFileSync(path, text);
    return path;
  };
  return {
    folder,
    mesh,
    world,
    file,
    async pair(name, by, san, bad) {
      const weak = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
      const key = bad === 'weak key' ? weak() : await generateKey('ec-p256');
      const issuer = bad === 'wrong root' ? stranger : by;
      const [from, to] = bad === 'expired' ? [-3 * DAY, -DAY] : bad === 'not yet valid' ? [DAY, 3 * DAY] : [-60_000, DAY / 2];
      const other = {
        ...san,
        value: san.type === 'uri' ? 'spiffe://elsewhere.org/ns/default/sa/billing' : 'elsewhere.org',
      } as SubjectAltName;
      const der = signCertificate(
        {
          subject: {},
          sans: [bad === 'wrong name' ? other : san],
          publicKey: publicKeyInfo(key),
          notBefore: new Date(Date.now() + from),
          notAfter: new Date(Date.now() + to),
          ca: false,
          keyEncipherment: bad === 'weak key',
        },
        signerOf(issuer),
      );
      if (bad === 'tampered') {
        // In the names at its end: the issuer stays who it is.
        const at = Math.max(der.lastIndexOf('.local'), der.lastIndexOf('.example'));
        der[at + 1] = 'x'.charCodeAt(0);
      }
      return { cert: file(name, toPem('CERTIFICATE', der) + issuer.above), key: file(`${name}-key`, keyToPem(key)) };
    },
  };
}

interface Bench extends Kit {
  agent: TestMesh;
  strict: Call;
  simple: Call;
  mutual: Call;
  /** Files. */
  meshRoots: string;
  worldRoots: string;
  /** Where the service outside is, and a call of it through billing's proxy. */
  outsidePort: number;
  askOutside(): Promise<{ status: number; body: string }>;
  records: RequestRecord[];
}

function yaml(
  ports: Record<'inbound' | 'app' | 'simple' | 'mutual' | 'outside' | 'billing', number>,
  files: Record<string, string>,
  shop: Pair,
): string {
  const route = (name: string, gateway: string): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec: { hosts: [${SHOP}], gateways: [${gateway}], http: [{ route: [{ destination: { host: payments } }] }] }
`;
  const gateway = (name: string, port: number, tls: string): string => `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: ${port}, name: https, protocol: HTTPS }, hosts: [${SHOP}], tls: ${tls} }] }
${route(name, name)}`;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop' },
    stringData: { 'tls.crt': shop.cert, 'tls.key': shop.key },
  };
  return `${service('payments')}${secured('payments', ports.inbound, ports.app)}${client('billing', { 'fairlead.dev/http-proxy-port': String(ports.billing) })}---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
---
${JSON.stringify(secret)}
${gateway('simple', ports.simple, '{ mode: SIMPLE, credentialName: shop }')}${gateway(
  'mutual',
  ports.mutual,
  `{ mode: MUTUAL, serverCertificate: ${files['cert']}, privateKey: ${files['key']}, caCertificates: ${files['roots']}, subjectAltNames: [partner.example.com] }`,
)}---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: outside }
spec:
  hosts: [${OUTSIDE}]
  location: MESH_EXTERNAL
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: ${ports.outside} }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1 }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: outside }
spec:
  host: ${OUTSIDE}
  trafficPolicy:
    tls: { mode: MUTUAL, sni: ${OUTSIDE}, subjectAltNames: [${OUTSIDE}], caCertificates: ${files['roots']}, clientCertificate: ${files['ownCert']}, privateKey: ${files['ownKey']} }
`;
}

const dns = (value: string): SubjectAltName => ({ type: 'dns', value });
const uri = (value: string): SubjectAltName => ({ type: 'uri', value });

test(
  'the CA signs no request of a weak key',
  withScratch(async (folder) => {
    const ca = join(folder, 'ca');
    assert.is((await fairlead(['ca', 'init', '--ca-dir', ca])).code, 0);
    const [key, csr] = [join(folder, 'key.pem'), join(folder, 'csr.pem')];
    const args = ['req', '-new', '-newkey', 'rsa:1024', '-nodes', '-keyout', key, '-out', csr, '-subj', '/CN=x'];
    assert.is(spawnSync('openssl', args).status, 0);
    const { code, err } = await fairlead(['cert', 'issue', 'default/billing', '--csr', csr, '--ca-dir', ca, '--out', join(folder, 'out')]);
    assert.is(code, 3, err);
    assert.match(err, /its key is weak \(RSA 1024[^)]*\): it has 1024 bits; 2048 are the least/);
  }),
);

const withMesh = (engine: 'embedded' | 'envoy', use: (bench: Bench) => Promise<void>) =>
  withScratch(async (folder) => {
    if (engine === 'envoy' && 'path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const ca = join(folder, 'ca');
    await initCa(ca, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: 100 * DAY,
      intermediateLifeMs: 100 * DAY,
      passphrase: undefined,
    });
    const kit = await kitOf(folder, ca);
    const backend = await startBackend('payments');
    const ports = {
      inbound: testPort(),
      app: backend.port,
      simple: testPort(),
      mutual: testPort(),
      outside: testPort(),
      billing: testPort(),
    };
    const meshRoots = kit.file('mesh-roots', activeOf(readState(ca))?.root ?? '');
    const worldRoots = kit.file('world-roots', kit.world.certificate.pem);
    const shop = await kit.pair('shop', kit.world, dns(SHOP));
    const own = await kit.pair('own', kit.world, dns('billing.example.com'));
    const text = (path: string): string => readFileSync(path, 'utf8');
    const files = { ...shop, roots: worldRoots, ownCert: own.cert, ownKey: own.key };
    const agent = await startMesh(
      { 'a.yaml': yaml(ports, files, { cert: text(shop.cert), key: text(shop.key) }) },
      { engine, ca: { directory: ca, passphrase: undefined } },
    );
    const records: RequestRecord[] = [];
    const forget = agent.agent.engine.onRecord((record) => records.push(record));
    const billing = createClient(`127.0.0.1:${ports.billing}`);
    const call = { host: SHOP, roots: worldRoots, checkName: true };
    try {
      assert.equal(agent.agent.controller.config().problems, []);
      await until('it serves', async () => (await billing.get('http://payments/').catch(() => ({ status: 0 }))).status === 200);
      await use({
        ...kit,
        agent,
        strict: { port: ports.inbound, host: 'payments', roots: meshRoots, checkName: false },
        simple: { ...call, port: ports.simple },
        mutual: { ...call, port: ports.mutual },
        meshRoots,
        worldRoots,
        outsidePort: ports.outside,
        askOutside: () => billing.get(`http://${OUTSIDE}/`),
        records,
      });
    } finally {
      forget();
      billing.close();
      await agent.close();
      await backend.close();
    }
  });

const SERVED = /^HTTP\/1\.1 200 OK\r?$[\s\S]*"instance":"payments"/m;

/** What `cert verify` finds. */
async function faultsOf(pair: Pair, roots: string, name: string, purpose: string): Promise<{ code: number | null; faults: string }> {
  const ran = await fairlead(['cert', 'verify', pair.cert, '--ca', roots, '--name', name, '--purpose', purpose, '-o', 'json']);
  return { code: ran.code, faults: ran.out + ran.err };
}

for (const engine of ['embedded', 'envoy'] as const) {
  if (engine === 'envoy' && 'missing' in envoy) {
    test.skip(`envoy: ${envoy.missing}`, () => undefined);
    continue;
  }

  test(
    `${engine}: openssl, curl, Python and Go reach a workload under STRICT and both kinds of gateways, by what they show`,
    withMesh(engine, async ({ folder, pair, mesh, world, strict, simple, mutual }) => {
      const billing = await pair('billing', mesh, uri(BILLING));
      const partner = await pair('partner', world, dns('partner.example.com'));
      let asked = 0;
      for (const peer of [openssl, curl, python, goClient(folder)]) {
        if (peer.missing !== undefined) {
          console.log(`${peer.name} is left out: ${peer.missing}`);
          continue;
        }
        asked++;
        const answer = await peer.ask({ ...strict, own: billing });
        assert.match(answer, SERVED, `${peer.name}: STRICT: ${answer}`);
        assert.match(answer, new RegExp(`URI=${BILLING}`), `${peer.name}: who it is reaches the workload`);
        assert.not.match(await peer.ask(strict), SERVED, `${peer.name}: STRICT, without a certificate`);
        assert.match(await peer.ask(simple), SERVED, `${peer.name}: SIMPLE`);
        assert.match(await peer.ask({ ...mutual, own: partner }), SERVED, `${peer.name}: MUTUAL`);
        assert.not.match(await peer.ask(mutual), SERVED, `${peer.name}: MUTUAL, without a certificate`);
      }
      assert.ok(asked > 0);
    }),
  );

  test(
    `${engine}: calls to the outside reach servers of Python and openssl with TLS of their own, and both see the client’s certificate`,
    withMesh(engine, async ({ pair, world, worldRoots, outsidePort, askOutside }) => {
      const outside = { ...(await pair('outside', world, dns(OUTSIDE))), port: outsidePort };
      for (const [start, shows] of [
        [pythonServer, /python .*billing\.example\.com/],
        [opensslServer, /Client certificate[\s\S]*billing\.example\.com|Verify return code: 0|Ciphers/],
      ] as const) {
        const server = await start({ ...outside, clients: worldRoots });
        try {
          const { status, body } = await askOutside();
          assert.is(status, 200, body);
          assert.match(body, shows);
        } finally {
          await server.close();
        }
      }
    }),
  );

  test(
    `${engine}: bad certificates are refused, by workloads, gateways and in calls to the outside, and are called what they are`,
    withMesh(engine, async ({ pair, mesh, world, meshRoots, worldRoots, strict, mutual, outsidePort, askOutside, records }) => {
      for (const [bad, { fault, said }] of Object.entries(BAD) as [Bad, (typeof BAD)[Bad]][]) {
        const workload = await pair(bad, mesh, uri(BILLING), bad);
        const partner = await pair(bad, world, dns('partner.example.com'), bad);
        const outside = await pair(bad, world, dns(OUTSIDE), bad);
        for (const [one, roots, name, purpose] of [
          [workload, meshRoots, BILLING, 'svid'],
          [partner, worldRoots, 'partner.example.com', 'client'],
          [outside, worldRoots, OUTSIDE, 'server'],
        ] as const) {
          const { code, faults } = await faultsOf(one, roots, name, purpose);
          assert.is(code, 1, `${bad}, ${purpose}: ${faults}`);
          assert.match(faults, new RegExp(`"code": "${fault}"`), `${bad}, ${purpose}`);
        }
        // BoringSSL takes keys of 1024 bits from peers, and Envoy has no setting against them: that they are signed at all is what the CA refuses.
        if (bad === 'weak key' && engine === 'envoy') continue;
        records.length = 0;
        const answer = await openssl.ask({ ...strict, own: workload });
        assert.not.match(answer, SERVED, `${bad}: STRICT: ${answer}`);
        await until(`${bad}: a record of the workload`, () => records.some(({ downstreamTransportFailure }) => downstreamTransportFailure));
        const ofWorkload = tlsFailureText(records.find((r) => r.downstreamTransportFailure)?.downstreamTransportFailure ?? '');
        assert.match(ofWorkload, said, `${bad}: STRICT: ${ofWorkload}`);
        assert.not.match(await openssl.ask({ ...mutual, own: partner }), SERVED, `${bad}: MUTUAL`);
        const server: ForeignServer = await pythonServer({ ...outside, port: outsidePort });
        try {
          records.length = 0;
          const { status } = await askOutside();
          assert.is(status, 503, `${bad}: outside`);
          await until('its record', () => records.some(({ upstreamTransportFailure }) => upstreamTransportFailure !== ''));
          assert.match(tlsFailureText(records.find((r) => r.upstreamTransportFailure)?.upstreamTransportFailure ?? ''), said, bad);
        } finally {
          await server.close();
        }
      }
    }),
  );
}

test.run();
