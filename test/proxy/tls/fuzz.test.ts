/** Hostile bytes where TLS begins, and hostile secrets: nothing crashes, nothing is left behind, and who is good is served meanwhile. */
import { createServer, connect as dial, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateFault, rootsFault } from '../../../agent/identity/check-secret.ts';
import { resourceSecret } from '../../../agent/identity/resource-secrets.ts';
import { createSecretStore } from '../../../agent/proxy/tls/secret-store.ts';
import type { Secret } from '../../../src/config/kinds/kubernetes.ts';
import type { Resource } from '../../../src/config/resource.ts';
import { until } from '../../support/http.ts';
import { type ProxyUnderTest, startEmbedded } from './both.ts';
import { downstream, http, mutual, TLS_INSPECTOR } from './configs.ts';
import { caSecret, certificateSecret, createPki, type Issued, type Pki } from './pki.ts';

/** The same numbers in every run: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Random = ReturnType<typeof randomFrom>;
const below = (random: Random, n: number): number => Math.floor(random() * n);

/** Bytes changed, cut out, doubled, or cut off. */
function mutated(random: Random, from: Buffer): Buffer {
  let bytes = Buffer.from(from);
  for (let n = 1 + below(random, 4); n > 0 && bytes.length > 0; n--) {
    const at = below(random, bytes.length);
    const kind = below(random, 5);
    if (kind === 0) bytes[at] = below(random, 256);
    else if (kind === 1) bytes[at] = [0, 0xff, 0x7f, 0x80][below(random, 4)] as number;
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 16))]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 64), bytes.subarray(at)]);
    else bytes = bytes.subarray(0, at);
  }
  return bytes;
}

/** What a real client says first. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const said = new Promise<Buffer>((resolve) => server.once('connection', (socket) => socket.once('data', resolve)));
  const client = connect({ port, host: '127.0.0.1', servername: 'a.test', ALPNProtocols: ['h2', 'istio'] }).on('error', () => undefined);
  const hello = await said;
  client.destroy();
  server.close();
  return hello;
}

async function withProxy(run: (proxy: ProxyUnderTest, good: () => Promise<string>, pki: Pki) => Promise<void>): Promise<void> {
  const pki = await createPki();
  const own: Issued = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'] });
  const proxy = await startEmbedded({
    listener: {
      listenerFilters: [TLS_INSPECTOR],
      filterChains: [
        {
          transportSocket: downstream(mutual(), { requireClientCertificate: true }),
          filters: [http([{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'ok' } } }])],
        },
      ],
    },
    secrets: [certificateSecret('default', await pki.issue({ dns: ['a.test'] })), caSecret('ROOTCA', pki.ca)],
  });
  const good = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ port: proxy.port, host: '127.0.0.1', servername: 'a.test', ca: pki.ca, ...own });
      let said = '';
      socket.on('data', (d) => (said += d));
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', () => resolve(said));
      socket.write('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n');
    });
  try {
    await run(proxy, good, pki);
  } finally {
    await proxy.close();
  }
}

async function active(proxy: ProxyUnderTest): Promise<number> {
  const count = (name: string): Promise<number> => proxy.counter(`listener.<address>.${name}`);
  return (await count('downstream_cx_total')) - (await count('downstream_cx_destroy'));
}

/** Says it, and is gone when the other side is, or soon. */
function say(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(3000, () => socket.destroy());
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** Two busy cores take their time for thousands of sockets. */
const PATIENCE = 60_000;

test('mutated and random ClientHellos', () =>
  withProxy(async (proxy, good) => {
    const random = randomFrom(7);
    const hello = await clientHello();
    assert.match(await good(), /^HTTP\/1\.1 200/);
    for (let round = 0; round < 60; round++) {
      const all = Array.from({ length: 50 }, () => {
        const bytes =
          random() < 0.2 ? Buffer.from(Array.from({ length: below(random, 600) }, () => below(random, 256))) : mutated(random, hello);
        return say(proxy.port, bytes);
      });
      await Promise.all(all);
    }
    assert.match(await good(), /^HTTP\/1\.1 200/);
    await until('every connection is gone', async () => (await active(proxy)) === 0, PATIENCE);
  }));

test('two thousand handshakes that are begun and not ended keep nobody out, and leave nothing behind', () =>
  withProxy(async (proxy, good) => {
    const hello = await clientHello();
    const sockets: Socket[] = [];
    for (let n = 0; n < 2000; n++) {
      const socket = dial(proxy.port, '127.0.0.1').on('error', () => undefined);
      // Some say nothing, some a part, some all of the hello and then nothing more.
      if (n % 3 > 0) socket.write(n % 3 === 1 ? hello.subarray(0, 100) : hello);
      sockets.push(socket);
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // The kernel's queue may drop the last of them for some seconds.
    await until('they are there', async () => (await active(proxy)) >= 1500, PATIENCE);
    assert.match(await good(), /^HTTP\/1\.1 200/);
    for (const socket of sockets) socket.destroy();
    await until('every connection is gone', async () => (await active(proxy)) === 0, PATIENCE);
    assert.match(await good(), /^HTTP\/1\.1 200/);
  }));

test('a client’s certificate that is far too large is refused, and others are served', () =>
  withProxy(async (proxy, good, pki) => {
    const large = await pki.issue({ dns: Array.from({ length: 20_000 }, (_, i) => `name-${i}.a.test`) });
    const said = await new Promise<string>((resolve) => {
      const socket = connect({ port: proxy.port, host: '127.0.0.1', servername: 'a.test', ca: pki.ca, ...large });
      socket.on('data', (d) => resolve(d.toString()));
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', () => resolve('closed'));
      socket.write('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n');
    });
    assert.not.match(said, /^HTTP\/1\.1 200/);
    assert.match(await good(), /^HTTP\/1\.1 200/);
  }));

test('random secrets: each is told as unreadable or taken, none throws, and the sound one stays', async () => {
  const random = randomFrom(11);
  const pki = await createPki();
  const sound = await pki.issue({ dns: ['a.test'] });
  const store = createSecretStore();
  assert.equal(store.set([certificateSecret('default', sound), caSecret('ROOTCA', pki.ca)]), []);
  const change = (pem: string): string => {
    if (random() < 0.5) return mutated(random, Buffer.from(pem)).toString('latin1');
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const [label = ''] = /-----BEGIN [^-]+-----/.exec(pem) ?? [];
    return `${label}\n${mutated(random, der).toString('base64')}\n${label.replace('BEGIN', 'END')}\n`;
  };
  let refused = 0;
  for (let n = 0; n < 2000; n++) {
    const other = { cert: n % 3 === 0 ? sound.cert : change(sound.cert), key: n % 3 === 1 ? sound.key : change(sound.key) };
    const roots = change(pki.ca);
    const problems = store.set([certificateSecret('default', other), caSecret('ROOTCA', roots)]);
    for (const { message } of problems) assert.not.match(message, /BEGIN|PRIVATE KEY/, message);
    refused += problems.length;
    assert.ok(store.get('default')?.certificate, 'there is always one');
    assert.ok(store.get('ROOTCA')?.validation);
    // What Secrets and files go through before.
    certificateFault(other.cert, other.key);
    rootsFault(roots);
    const spec = { data: { 'tls.crt': Buffer.from(other.cert).toString('base64'), 'tls.key': other.key, 'ca.crt': roots } };
    const resource = { kind: 'Secret', metadata: { name: 's', namespace: 'a' }, spec } as unknown as Resource<Secret>;
    for (const name of ['kubernetes://s', 'kubernetes://s-cacert']) {
      const made = resourceSecret(name, 'a', () => resource);
      if ('problem' in made) assert.not.match(made.problem, /PRIVATE KEY/);
    }
  }
  assert.ok(refused > 1000, `${refused}`);
});

test('huge secrets', async () => {
  const pki = await createPki();
  const sound = await pki.issue({ dns: ['a.test'] });
  const store = createSecretStore();
  const many = sound.cert + pki.ca.repeat(5000);
  store.set([certificateSecret('default', { cert: many, key: sound.key }), caSecret('ROOTCA', pki.ca.repeat(5000))]);
  const junk = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(20_000_000)}\n-----END CERTIFICATE-----\n`;
  for (const cert of [junk, `${'-----BEGIN CERTIFICATE-----\n'.repeat(300_000)}`, 'x'.repeat(30_000_000)]) {
    assert.ok(store.set([certificateSecret('default', { cert, key: sound.key }), caSecret('ROOTCA', cert)]).length > 0);
    assert.type(certificateFault(cert, sound.key), 'string');
    assert.type(rootsFault(cert), 'string');
  }
});

test.run();
