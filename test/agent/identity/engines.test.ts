/** Secrets in both engines: in place, before the config, one missing beside others, again after a crash. Real handshakes. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SdsSecretConfigJson, SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { initCa } from '../../../agent/ca/init.ts';
import { issueLocally } from '../../../agent/ca/local-issue.ts';
import { createEngine } from '../../../agent/create-engine.ts';
import { type DataDirectory, openDataDirectory } from '../../../agent/data-directory.ts';
import type { Engine } from '../../../agent/engine.ts';
import { type EnvoyBinary, findEnvoy } from '../../../agent/envoy/find.ts';
import { silentLog } from '../../../agent/log.ts';
import { typed } from '../../../src/envoy/any.ts';
import { buildSnapshot } from '../../../src/envoy/build.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { meshOf } from '../../mesh/fixture.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { until } from '../../support/http.ts';
import { testPort } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';
import { WEB } from './node.ts';

const envoy = realEnvoy();
const ads = (name: string, timeout: string): SdsSecretConfigJson => ({
  name,
  sdsConfig: { ads: {}, initialFetchTimeout: timeout, resourceApiVersion: 'V3' },
});

interface Bench {
  engine: Engine;
  snapshot: Snapshot;
  id: string;
  /** A new certificate with its key. */
  secret(name: string): Promise<SecretJson>;
  /** A handshake: the serial number that is shown; undefined when it fails. */
  shown(sni: string): Promise<string | undefined>;
  /** A connection that stays, echoed. */
  open(sni: string): Promise<TLSSocket>;
}

const serialOf = (secret: SecretJson): string =>
  readCertificates(secret.tlsCertificate?.certificateChain?.inlineString as string)[0]!.serial;

/** A TLS listener with a chain for `a.test` (the secret `default`) and one for `b.test` (`kubernetes://b`), before an echo server. */
const withEngine = (kind: 'embedded' | 'envoy', run: (bench: Bench) => Promise<void>) =>
  withScratch(async (folder) => {
    const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const ca = join(folder, 'ca');
    const life = 86_400_000;
    await initCa(ca, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: life,
      intermediateLifeMs: life,
      passphrase: undefined,
    });
    const mesh = await meshOf(WEB);
    const [node] = proxiesOf(mesh, { addresses: [], pods: 'none' });
    const port = testPort();
    const chain = (sni: string, certificate: SdsSecretConfigJson) => ({
      name: sni,
      filterChainMatch: { serverNames: [sni] },
      filters: [
        {
          name: 'envoy.filters.network.tcp_proxy',
          typedConfig: typed('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', { statPrefix: 'echo', cluster: 'echo' }),
        },
      ],
      transportSocket: {
        name: 'envoy.transport_sockets.tls',
        typedConfig: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
          commonTlsContext: { tlsCertificateSdsSecretConfigs: [certificate] },
        }),
      },
    });
    const snapshot: Snapshot = {
      ...buildSnapshot(mesh, node!),
      version: 'one',
      routes: [],
      endpoints: [],
      clusters: [
        {
          name: 'echo',
          type: 'STATIC',
          connectTimeout: '1s',
          loadAssignment: {
            clusterName: 'echo',
            endpoints: [
              {
                lbEndpoints: [
                  { endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: (echo.address() as AddressInfo).port } } } },
                ],
              },
            ],
          },
        },
      ],
      listeners: [
        {
          name: 'tls',
          address: { socketAddress: { address: '127.0.0.1', portValue: port } },
          listenerFilters: [
            {
              name: 'envoy.filters.listener.tls_inspector',
              typedConfig: typed('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', {}),
            },
          ],
          filterChains: [chain('a.test', ads('default', '0s')), chain('b.test', ads('kubernetes://b', '2s'))],
        },
      ],
    };
    const data: DataDirectory = openDataDirectory(join(folder, 'data'));
    const binary = kind === 'envoy' && 'path' in envoy ? ((await findEnvoy({ ENVOY_PATH: envoy.path })) as EnvoyBinary) : undefined;
    const engine = createEngine(binary ? { engine: 'envoy', binary, why: '' } : { engine: 'embedded', why: '' }, {
      data,
      version: 'test',
      orphanSeconds: 20,
      log: silentLog,
      describe: () => ({ proxy: node!, config: mesh.config }),
      api: () => ({ address: '127.0.0.1', port: 1 }),
    });
    const dial = (sni: string): TLSSocket => connect({ host: '127.0.0.1', port, servername: sni, rejectUnauthorized: false });
    const sockets: TLSSocket[] = [];
    try {
      await engine.start();
      await run({
        engine,
        snapshot,
        id: node!.id,
        async secret(name) {
          const options = { request: undefined, algorithm: 'ec-p256' as const, dnsNames: [], lifeMs: undefined, passphrase: undefined };
          const { issued, key } = await issueLocally(ca, { identity: 'default/web', ...options });
          return {
            name,
            tlsCertificate: { certificateChain: { inlineString: issued.chain }, privateKey: { inlineString: key as string } },
          };
        },
        shown: (sni) =>
          new Promise((resolve) => {
            const socket = dial(sni);
            socket.setTimeout(5000, () => socket.destroy(new Error('too late')));
            socket.once('error', () => resolve(undefined));
            socket.once('close', () => resolve(undefined));
            socket.once('secureConnect', () => {
              resolve(socket.getPeerCertificate().serialNumber.toLowerCase().replace(/^0+/, ''));
              socket.destroy();
            });
          }),
        async open(sni) {
          const socket = dial(sni).on('error', () => undefined);
          sockets.push(socket);
          await once(socket, 'secureConnect');
          return socket;
        },
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      await engine.stop();
      data.release();
      echo.close();
    }
  });

async function echoes(socket: TLSSocket, text: string): Promise<void> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.is(answer.toString('utf8'), text);
}

for (const kind of ['embedded', 'envoy'] as const) {
  if (kind === 'envoy' && 'missing' in envoy) {
    test.skip(`envoy: ${envoy.missing}`, () => undefined);
    continue;
  }
  test(
    `${kind}: the first handshake finds the first secret; a new one is taken in place and drops no connection`,
    withEngine(kind, async ({ engine, snapshot, id, secret, shown, open }) => {
      const [one, two] = [await secret('default'), await secret('default')];
      await engine.applySecrets(id, [one]);
      assert.ok((await engine.apply(snapshot)).applied);
      await until('it serves', async () => (await shown('a.test')) === serialOf(one));
      const socket = await open('a.test');
      await echoes(socket, 'before');
      await engine.applySecrets(id, [two]);
      await until('the new one', async () => (await shown('a.test')) === serialOf(two));
      await echoes(socket, 'after');
      assert.is(socket.destroyed, false);
    }),
  );

  test(
    `${kind}: a missing secret fails its own chain alone, and is taken when it comes`,
    withEngine(kind, async ({ engine, snapshot, id, secret, shown }) => {
      const [own, late] = [await secret('default'), await secret('kubernetes://b')];
      await engine.applySecrets(id, [own]);
      assert.ok((await engine.apply(snapshot)).applied);
      await until('the other chain serves', async () => (await shown('a.test')) === serialOf(own));
      assert.is(await shown('b.test'), undefined);
      const dump = (await engine.admin(id, 'GET', '/config_dump')).body.toString('utf8');
      assert.not.match(dump, /PRIVATE KEY/);
      assert.match(dump, /dynamic_active_secrets/);
      await engine.applySecrets(id, [own, late]);
      await until('it came', async () => (await shown('b.test')) === serialOf(late));
      assert.is(await shown('a.test'), serialOf(own));
    }),
  );

  test(
    `${kind}: a killed data plane has its secrets again; a broken secret is refused and the old one serves on`,
    withEngine(kind, async ({ engine, snapshot, id, secret, shown }) => {
      const own = await secret('default');
      await engine.applySecrets(id, [own]);
      assert.ok((await engine.apply(snapshot)).applied);
      await until('it serves', async () => (await shown('a.test')) === serialOf(own));
      const pid = engine.status().pid as number;
      process.kill(pid, 'SIGKILL');
      await until('it is back', () => engine.status().state === 'running' && engine.status().pid !== pid, 20_000);
      await until('it serves again', async () => (await shown('a.test')) === serialOf(own), 20_000);
      const other = await secret('default');
      const broken: SecretJson = {
        name: 'default',
        tlsCertificate: { ...own.tlsCertificate, privateKey: other.tlsCertificate!.privateKey! },
      };
      const refused = await engine.applySecrets(id, [broken]).then(
        () => 'taken',
        (error: Error) => error.message,
      );
      assert.match(refused, /default/);
      assert.not.match(refused, /PRIVATE/);
      assert.is(await shown('a.test'), serialOf(own));
      await engine.applySecrets(id, [other]);
      await until('a sound one', async () => (await shown('a.test')) === serialOf(other));
    }),
  );
}

test.run();
