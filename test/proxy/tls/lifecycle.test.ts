// test: exclusive
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer as createHttps, request } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer as createTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../support/http.ts';
import { type ProxyUnderTest, startEmbedded } from './both.ts';
import { cluster, downstream, http, mutual, TLS_INSPECTOR, tcp, upstream } from './configs.ts';
import { caSecret, certificateSecret, createPki, type Issued, type Pki } from './pki.ts';

let pki: Pki;
let own: Issued;
let client: Issued;
test.before(async () => {
  pki = await createPki();
  own = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/proxy'], dns: ['a.test'] });
  client = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'] });
});

const secrets = () => [certificateSecret('default', own), caSecret('ROOTCA', pki.ca)];
const listen = async (server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

/** One request over the agent's connections, as `status body`. */
function get(port: number, agent: Agent, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent, servername: 'a.test', checkServerIdentity: () => undefined };
    request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

const answering = (text: string) => [http([{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: text } } }])];
const serving = (filters: object[], more: object = {}) => ({
  listener: {
    listenerFilters: [TLS_INSPECTOR],
    filterChains: [{ transportSocket: downstream(mutual()), filters: filters as never, ...more }],
  },
  secrets: secrets(),
});

test('certificates and roots are replaced under load, on both sides, without a failed request or a dropped connection', async () => {
  const seen = new Set<string>();
  const backendOptions = { ...(await pki.issue({ dns: ['backend.test'] })), ca: pki.ca, requestCert: true, rejectUnauthorized: true };
  const backend = createHttps(backendOptions, (req, res) => {
    seen.add((req.socket as import('node:tls').TLSSocket).getPeerCertificate().serialNumber);
    res.end('ok');
  });
  const port = await listen(backend);
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'backend' } }];
  const proxy = await startEmbedded({
    ...serving([http(routes)]),
    clusters: [
      cluster('backend', port, {
        transportSocket: upstream(mutual()),
        typedExtensionProtocolOptions: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            ...{ commonHttpProtocolOptions: { maxRequestsPerConnection: 20 }, explicitHttpConfig: { httpProtocolOptions: {} } },
          },
        },
      }),
    ],
  });
  const next = await createPki('next');
  const keeper = new Agent({ keepAlive: true, maxSockets: 1, ca: [pki.ca], ...client });
  const shown = new Set<string>();
  let running = true;
  let done = 0;
  const failures: string[] = [];
  // New connections all the time, by clients of the old root and of the next one as soon as it is trusted.
  const asking = async (agent: () => Agent): Promise<void> => {
    while (running) {
      const one = agent();
      const answer = await get(proxy.port, one).catch((error: Error) => error.message);
      if (answer === '200 ok') done++;
      else failures.push(answer);
      if (one !== keeper) one.destroy();
    }
  };
  const fresh = (): Agent => {
    const agent = new Agent({ keepAlive: false, ca: [pki.ca, next.ca], ...client });
    agent.on('keylog', () => undefined);
    return agent;
  };
  const work = [asking(() => keeper), asking(fresh), asking(fresh)];
  try {
    for (let i = 0; i < 10; i++) {
      const target = done + 30;
      await until('more requests', () => done >= target || failures.length > 0);
      const renewed = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/proxy'], dns: ['a.test'] });
      shown.add(renewed.cert);
      assert.equal(proxy.secrets!.set([certificateSecret('default', renewed), caSecret('ROOTCA', pki.ca + (i > 4 ? next.ca : ''))]), []);
    }
    const target = done + 100;
    await until('the last certificate in use', () => done >= target || failures.length > 0);
  } finally {
    running = false;
    await Promise.all(work);
    keeper.destroy();
  }
  assert.equal(failures, []);
  assert.ok(seen.size >= 5, `the backend saw ${seen.size} certificates`);
  const late = new Agent({ ca: [pki.ca], ...(await next.issue({ uris: ['spiffe://next/ns/a/sa/b'] })) });
  assert.is(await get(proxy.port, late), '200 ok');
  // The old root goes: its clients stay out, resumed sessions too.
  const resuming = await session(proxy, client);
  const newOwn = await next.issue({ dns: ['a.test'] });
  proxy.secrets!.set([certificateSecret('default', newOwn), caSecret('ROOTCA', next.ca)]);
  assert.is(await session(proxy, client, resuming.session).then(({ served }) => served), false);
  late.destroy();
  await proxy.close();
  backend.close();
  backend.closeAllConnections();
});

/** One TLS connection with one request: whether it was answered, resumed, and its session. */
function session(
  proxy: ProxyUnderTest,
  who: Issued,
  resumed?: Buffer,
): Promise<{ served: boolean; reused: boolean; session: Buffer | undefined }> {
  return new Promise((resolve) => {
    const found = { served: false, reused: false, session: undefined as Buffer | undefined };
    const socket = connect({
      port: proxy.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      servername: 'a.test',
      ...who,
      ...(resumed && { session: resumed }),
    });
    socket.on('secureConnect', () => {
      found.reused = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    });
    socket.on('session', (ticket: Buffer) => {
      found.session = ticket;
    });
    socket.on('data', () => {
      found.served = true;
    });
    socket.on('error', () => resolve(found));
    socket.on('close', () => resolve(found));
  });
}

test('sessions are resumed, and never by whom the certificate would keep out now', async () => {
  const proxy = await startEmbedded(serving(answering('ok')));
  const first = await session(proxy, client);
  assert.is(first.served, true);
  const again = await session(proxy, client, first.session);
  assert.equal([again.served, again.reused], [true, true]);
  assert.is(await proxy.counter('listener.<address>.ssl.session_reused'), 1);
  // A stranger's handshake ends behind the ticket that TLS 1.3 sends; the ticket opens nothing.
  const stranger = await (await createPki('other')).issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'] });
  const refused = await session(proxy, stranger);
  assert.is(refused.served, false);
  assert.is((await session(proxy, stranger, refused.session)).served, false);
  // A certificate that has ended since is no good for resumption either.
  const brief = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'], to: 3000 });
  const before = await session(proxy, brief);
  assert.is(before.served, true);
  await until('the certificate ends', async () => (await session(proxy, brief)).served === false, 8000);
  assert.is((await session(proxy, brief, before.session)).served, false);
  await proxy.close();
});

test('an unreadable secret is told, and the one before stays', async () => {
  const proxy = await startEmbedded(serving(answering('ok')));
  const mixed = certificateSecret('default', { cert: own.cert, key: client.key });
  const problems = proxy.secrets!.set([mixed, { name: 'ROOTCA', validationContext: { trustedCa: { inlineString: 'no certificate' } } }]);
  assert.equal(
    problems.map((p) => p.message),
    ['secret "default": privateKey is not the key of certificateChain', 'secret "ROOTCA": trustedCa has no CERTIFICATE block'],
  );
  assert.not.match(JSON.stringify(problems), /PRIVATE KEY/);
  assert.is((await session(proxy, client)).served, true);
  await proxy.close();
});

test('thousands of handshakes, good and bad, leave nothing behind', async () => {
  const count = Number(process.env['TLS_HANDSHAKES'] ?? 400);
  const proxy = await startEmbedded(serving(answering('ok')));
  const stranger = await (await createPki('other')).issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'] });
  const before = handles();
  let served = 0;
  const worker = async (n: number): Promise<void> => {
    for (let i = n; i < count; i += 8) {
      if (i % 10 === 7)
        await new Promise<void>((resolve) =>
          connectTcp(proxy.port, '127.0.0.1')
            .on('error', () => {})
            .on('close', () => resolve())
            .end('garbage\r\n\r\n'),
        );
      else if ((await session(proxy, i % 10 === 3 ? stranger : client)).served) served++;
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => worker(n)));
  assert.is(served, count * 0.8);
  await until('all sockets gone', () => handles() <= before);
  assert.is(await proxy.counter('listener.<address>.downstream_cx_total'), count);
  await until('no connection counted', async () => (await proxy.counter('listener.<address>.downstream_cx_destroy')) === count);
  await proxy.close();
});

test('a client that is slow with its handshake is sent away, one that is slow with its bytes is served', async () => {
  const proxy = await startEmbedded(serving(answering('ok'), { transportSocketConnectTimeout: '1s' }));
  const silent = connectTcp(proxy.port, '127.0.0.1');
  silent.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]));
  await new Promise((resolve) =>
    silent
      .on('close', resolve)
      .on('error', () => {})
      .resume(),
  );
  // Its ClientHello comes byte by byte, through a pipe.
  const relay = createTcp((socket) => {
    const out = connectTcp(proxy.port, '127.0.0.1');
    let first = true;
    socket.on('data', async (chunk) => {
      const slow = first;
      first = false;
      if (!slow) out.write(chunk);
      else {
        socket.pause();
        for (let i = 0; i < chunk.length; i += 40) {
          out.write(chunk.subarray(i, i + 40));
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.resume();
      }
    });
    out.on('data', (chunk) => socket.write(chunk));
    out.on('close', () => socket.end());
    out.on('error', () => socket.destroy());
    socket.on('error', () => out.destroy());
  });
  const port = await listen(relay);
  assert.is((await session({ ...proxy, port }, client)).served, true);
  relay.close();
  await proxy.close();
});

test('tcp_proxy carries large bodies both ways over TLS on both sides, with half-closes', async () => {
  const backend = createTls({ ...own, ca: pki.ca, requestCert: true, rejectUnauthorized: true, allowHalfOpen: true }, (socket) => {
    // Answers when everything is here: the client's end must come through, and this side must stay open.
    const hash = createHash('sha256');
    let bytes = 0;
    socket.on('data', (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    socket.on('end', () => {
      socket.write(`${bytes} ${hash.digest('hex')}\n`);
      socket.end(Buffer.alloc(8 * 1024 * 1024, 7));
    });
    socket.on('error', () => undefined);
  });
  const port = await listen(backend);
  const proxy = await startEmbedded({
    ...serving([tcp('backend')]),
    clusters: [cluster('backend', port, { transportSocket: upstream(mutual()) })],
  });
  const body = randomBytes(8 * 1024 * 1024);
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(
      { port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'a.test', allowHalfOpen: true, ...client } as never,
      () => socket.end(body),
    );
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('error', reject);
  });
  const line = `${body.length} ${createHash('sha256').update(body).digest('hex')}\n`;
  assert.is(answer.subarray(0, line.length).toString(), line);
  assert.is(answer.length, line.length + 8 * 1024 * 1024);
  await until('a record', () => proxy.records!.length === 1);
  assert.is(proxy.records![0]!.peerPrincipal, 'spiffe://cluster.local/ns/a/sa/client');
  await proxy.close();
  backend.close();
});

test('curl and openssl s_client are served', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tls-'));
  const proxy = await startEmbedded({
    listener: {
      listenerFilters: [TLS_INSPECTOR],
      filterChains: [{ transportSocket: downstream(mutual([], { alpnProtocols: ['h2', 'http/1.1'] })), filters: answering('ok') as never }],
    },
    secrets: secrets(),
  });
  try {
    for (const [name, text] of Object.entries({ 'ca.pem': pki.ca, 'cert.pem': client.cert, 'key.pem': client.key }))
      writeFileSync(join(folder, name), text);
    const files = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => join(folder, name)) as [string, string, string];
    if (spawnSync('curl', ['--version']).status === 0) {
      for (const [flag, version] of [
        ['--http1.1', '1.1'],
        ['--http2', '2'],
      ] as const) {
        const args = [
          flag,
          '-s',
          '--resolve',
          `a.test:${proxy.port}:127.0.0.1`,
          '--cacert',
          files[0],
          '--cert',
          files[1],
          '--key',
          files[2],
        ];
        assert.is(await run('curl', [...args, '-w', ' %{http_version}', `https://a.test:${proxy.port}/`]), `ok ${version}`);
      }
    }
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${proxy.port}`,
      '-servername',
      'a.test',
      '-verify_return_error',
      '-quiet',
      '-no_ign_eof',
    ];
    const said = await run(
      'openssl',
      [...args, '-CAfile', files[0], '-cert', files[1], '-key', files[2]],
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    assert.match(said, /ok$/);
  } finally {
    await proxy.close();
    rmSync(folder, { recursive: true });
  }
});

function run(command: string, args: string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('ok')) child.stdin.end();
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
    if (input === undefined) child.stdin.end();
    else child.stdin.write(input);
  });
}

test.run();
