/** Where the xDS server listens: a Unix socket for this user alone, and TCP for who shows a certificate. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../../agent/log.ts';
import { startXdsServer } from '../../../agent/xds/server.ts';
import { snapshotOf } from './fixture.ts';
import { rawStream } from './raw-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('the socket is this user’s alone, replaces a dead one, leaves a live one, and goes with its server', async () => {
  const socket = join(folder, 'xds.sock');
  spawnSync(process.execPath, ['-e', `net.createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`]);
  assert.ok(existsSync(socket), 'one that nobody serves');
  const server = await startXdsServer({ socket, log: silentLog });
  assert.is(statSync(socket).mode & 0o777, 0o600);
  const second = await startXdsServer({ socket, log: silentLog }).catch((e: Error & { code: string }) => e);
  assert.ok(second instanceof Error && 'code' in second && second.code === 'E_ENGINE_FAILED' && /another process/.test(second.message));
  server.set(snapshotOf({ clusters: { a: 1 } }));
  const stream = rawStream(`unix:${socket}`, 'delta');
  stream.send('cluster', {});
  assert.equal((await stream.next()).resources, ['a'], 'the first goes on');
  stream.close();
  await server.close();
  assert.not.ok(existsSync(socket));
});

/** A CA and a certificate of it for 127.0.0.1. */
function certificates(name: string): { ca: string; key: string; cert: string } {
  const at = (file: string): string => join(folder, `${name}-${file}`);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...curve, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', `/CN=${name}`);
  openssl('req', ...curve, '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=host');
  writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1');
  openssl(
    'x509',
    '-req',
    '-in',
    at('csr.pem'),
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-out',
    at('cert.pem'),
    '-days',
    '1',
    '-extfile',
    at('ext'),
  );
  const [ca, key, cert] = ['ca.pem', 'key.pem', 'cert.pem'].map((file) => readFileSync(at(file), 'utf8'));
  return { ca: ca!, key: key!, cert: cert! };
}

test('TCP serves who shows a certificate of the CA, and nobody else', async () => {
  const mine = certificates('mine');
  const strange = certificates('strange');
  const server = await startXdsServer({
    socket: join(folder, 'tcp.sock'),
    log: silentLog,
    tcp: { host: '127.0.0.1', port: 0, tls: mine, mayHave: (id, { subject }) => subject.CN === 'host' && id === 'node' },
  });
  try {
    server.set(snapshotOf({ clusters: { a: 1 } }));
    const target = `127.0.0.1:${server.port}`;
    const ca = Buffer.from(mine.ca);
    const good = rawStream(
      target,
      'delta',
      'node',
      undefined,
      grpc.credentials.createSsl(ca, Buffer.from(mine.key), Buffer.from(mine.cert)),
    );
    good.send('cluster', {});
    assert.equal((await good.next()).resources, ['a']);
    good.close();
    const other = rawStream(
      target,
      'delta',
      'other',
      undefined,
      grpc.credentials.createSsl(ca, Buffer.from(mine.key), Buffer.from(mine.cert)),
    );
    other.send('cluster', {});
    assert.is((await other.ended).code, grpc.status.PERMISSION_DENIED, 'another node');
    other.close();
    for (const credentials of [
      grpc.credentials.createSsl(ca),
      grpc.credentials.createSsl(ca, Buffer.from(strange.key), Buffer.from(strange.cert)),
      grpc.credentials.createInsecure(),
    ]) {
      const stream = rawStream(target, 'delta', 'node', undefined, credentials);
      stream.send('cluster', {});
      assert.is((await stream.ended).code, grpc.status.UNAVAILABLE);
      assert.is(stream.waiting.length, 0);
      stream.close();
    }
  } finally {
    await server.close();
  }
});

test.run();
