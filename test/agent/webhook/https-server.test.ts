/** Whatever comes is answered, and the next request is too. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../../agent/log.ts';
import { startWebhookServer, type WebhookServer } from '../../../agent/webhook/https-server.ts';
import { until } from '../../support/cluster-objects.ts';
import { withScratch } from '../../support/scratch.ts';

function certificate(folder: string, name: string): { key: string; chain: string } {
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=DNS:localhost -keyout ${name}.key -out ${name}.crt`;
  const { status, stderr } = spawnSync('openssl', args.split(' '), { cwd: folder, encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return { key: readFileSync(join(folder, `${name}.key`), 'utf8'), chain: readFileSync(join(folder, `${name}.crt`), 'utf8') };
}

const ask = (
  port: number,
  body: string | Buffer,
  path = '/inject',
  method = 'POST',
): Promise<{ status: number | undefined; text: string; subject: string }> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: 'localhost', port, path, method, rejectUnauthorized: false, agent: false }, async (res) => {
      const subject = (res.socket as import('node:tls').TLSSocket).getPeerCertificate().subject.CN as string;
      let text = '';
      for await (const chunk of res) text += chunk;
      resolve({ status: res.statusCode, text, subject });
    });
    sent.on('error', reject);
    sent.end(body);
  });
const review = (object: unknown): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u-1', kind: { group: '', version: 'v1', kind: 'Pod' }, namespace: 'shop', operation: 'CREATE', object },
  });

async function withServer(
  folder: string,
  use: (server: WebhookServer, ready: { why: string | undefined }) => Promise<void>,
): Promise<void> {
  const ready: { why: string | undefined } = { why: 'not yet' };
  const server = await startWebhookServer({
    host: '127.0.0.1',
    port: 0,
    answers: {
      '/inject': ({ uid, object }) => {
        if (object['fail'] === true) throw new Error('broken');
        return { uid, allowed: true };
      },
    },
    unready: () => ready.why,
    log: silentLog,
  });
  try {
    server.setCertificate(certificate(folder, 'first'));
    await use(server, ready);
  } finally {
    await server.close();
  }
}

test(
  'requests that are none, too large, or that fail are answered, and reviews go on',
  withScratch(async (folder) => {
    await withServer(folder, async ({ port }, ready) => {
      const status = async (...args: [string | Buffer, string?, string?]): Promise<number | undefined> => (await ask(port, ...args)).status;
      assert.is(await status(''), 400);
      assert.is(await status('{"kind":'), 400);
      assert.is(await status('[]'), 400);
      assert.is(await status(Buffer.from([0xff, 0xfe, 0x00])), 400);
      assert.is(await status(`${'['.repeat(100_000)}`), 400);
      assert.is(await status(review({ fail: true })), 500);
      assert.is(await status('', '/other'), 404);
      assert.is(await status('', '/__proto__'), 404);
      assert.is(await status('', '/inject', 'GET'), 405);
      const large = await ask(port, Buffer.alloc(9 * 1024 * 1024, 0x20)).then(
        (answer) => answer.status,
        (error: NodeJS.ErrnoException) => error.code,
      );
      assert.ok(large === 413 || large === 'ECONNRESET' || large === 'EPIPE', String(large));
      assert.is(await status('', '/healthz/ready', 'GET'), 503);
      ready.why = undefined;
      assert.is(await status('', '/healthz/ready', 'GET'), 200);
      const good = await ask(port, review({ metadata: {} }));
      assert.is(good.status, 200);
      assert.equal(JSON.parse(good.text).response, { uid: 'u-1', allowed: true });
    });
  }),
);

test(
  'a new certificate is for new handshakes; open connections and clients that say nothing disturb nobody',
  withScratch(async (folder) => {
    await withServer(folder, async (server) => {
      const open = connectTls({ host: 'localhost', port: server.port, rejectUnauthorized: false });
      const silent = connect(server.port, '127.0.0.1');
      silent.on('error', () => undefined);
      await new Promise((resolve) => open.once('secureConnect', resolve));
      assert.is((await ask(server.port, review({}))).subject, 'first');
      server.setCertificate(certificate(folder, 'second'));
      assert.is((await ask(server.port, review({}))).subject, 'second');
      let answered = '';
      open.on('data', (data) => {
        answered += data;
      });
      const body = review({});
      open.write(`POST /inject HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      await until('the open connection is answered', () => answered.includes('"allowed":true'));
      open.destroy();
      silent.destroy();
    });
  }),
);

test.run();
