import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createControlServer } from '../../../agent/proxy/control.ts';
import { createProxyHost } from '../../../agent/proxy/host.ts';
import { loadWire } from '../../../src/envoy/wire.ts';
import { freePort } from '../../support/free-ports.ts';
import { startEnvoy } from './both.ts';
import { cluster, downstream, http, mutual, TLS_INSPECTOR, tcp, upstream } from './configs.ts';
import { caSecret, certificateSecret, createPki } from './pki.ts';

const NODE = encodeURIComponent('sidecar~127.0.0.1~p.ns~ns.svc.cluster.local');

/** The API of a proxy process, in this process. */
async function startControl() {
  const host = createProxyHost({ record() {}, log() {} });
  const events = { attach() {}, close() {} } as never;
  const server = createControlServer({ host, events, version: 'test', startedAt: 0, stop() {} });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    async send(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async close() {
      await host.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

const handshake = (port: number, ca: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'a.test' }, () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });

test('secrets may come before the config; a broken one is told and changes nothing; they go with the proxy', async () => {
  const pki = await createPki();
  const control = await startControl();
  const own = await pki.issue({ dns: ['a.test'] });
  const path = `/fairlead/v1/proxies/${NODE}`;
  assert.equal(await control.send('PUT', `${path}/secrets`, [certificateSecret('default', own)]), { status: 200, body: {} });
  const port = await freePort();
  const chain = {
    transportSocket: downstream({ tlsCertificateSdsSecretConfigs: [{ name: 'default', sdsConfig: { ads: {} } }] }, {}),
    filters: [http([])],
  };
  const listener = {
    name: 'l',
    address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    listenerFilters: [TLS_INSPECTOR],
    filterChains: [chain],
  };
  const config = { version: '1', name: 'p.ns', listeners: [listener], routes: [], clusters: [], endpoints: [] };
  assert.is((await control.send('PUT', path, config)).status, 200);
  assert.is(await handshake(port, pki.ca), true);
  const broken = {
    name: 'default',
    tlsCertificate: { certificateChain: { inlineString: own.cert }, privateKey: { inlineString: 'secret words' } },
  };
  const refused = await control.send('PUT', `${path}/secrets`, [broken]);
  assert.is(refused.status, 400);
  assert.match(JSON.stringify(refused.body['problems']), /secret \\"default\\": privateKey or certificateChain cannot be used/);
  assert.not.match(JSON.stringify(refused.body), /secret words/);
  assert.is(await handshake(port, pki.ca), true);
  assert.not.match(JSON.stringify((await control.send('GET', `${path}/config`)).body), /PRIVATE KEY/);
  await control.send('DELETE', path);
  assert.is((await control.send('PUT', path, config)).status, 200);
  assert.is(await handshake(port, pki.ca), false);
  await control.close();
});

test('/certs says what Envoy says', async () => {
  const pki = await createPki();
  const other = await createPki('other');
  const own = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/b'], dns: ['a.test'], ips: ['10.0.0.1', '::1'] });
  const secrets = [certificateSecret('default', own), caSecret('ROOTCA', pki.ca + other.ca)];
  const clusters = [cluster('c', 1, { transportSocket: upstream(mutual()) })];
  const listener = { name: 'l', filterChains: [{ transportSocket: downstream(mutual()), filters: [tcp('c')] }] };
  const control = await startControl();
  await control.send('PUT', `/fairlead/v1/proxies/${NODE}/secrets`, secrets);
  const address = { socketAddress: { address: '127.0.0.1', portValue: await freePort() } };
  const config = { version: '1', name: 'p.ns', listeners: [{ ...listener, address }], routes: [], clusters, endpoints: [] };
  assert.is((await control.send('PUT', `/fairlead/v1/proxies/${NODE}`, config)).status, 200);
  const { body } = await control.send('GET', `/proxies/${NODE}/certs`);
  await control.close();
  const certificates = body['certificates'] as object[];
  assert.is(certificates.length, 1);
  const envoy = await startEnvoy({ listener, clusters, secrets });
  if (envoy === undefined) return;
  const theirs = JSON.parse((await envoy.ask!('/certs'))!) as { certificates: object[] };
  await envoy.close();
  // Envoy is asked later: a day may have ended in between.
  const dateless = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll(/"days_until_expiration":"\d+"/g, '"days_until_expiration":"…"'));
  const ours = (await loadWire()).toSnake('envoy.admin.v3.Certificates', body);
  assert.equal(dateless(ours), dateless({ certificates: theirs.certificates.slice(0, 1) }));
});

test.run();
