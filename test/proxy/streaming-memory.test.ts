// test: exclusive
/** What a large body costs the proxy's own process: resident memory, as the kernel counts it. */
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { service, startMesh, type TestMesh, testPort, workload } from '../support/mesh.ts';

const test = suite('memory of streams');
const linux = process.platform === 'linux' ? test : test.skip;
const MEGABYTE = 1024 * 1024;
const TOTAL = 300 * MEGABYTE;
const BOUND = 50 * MEGABYTE;
const chunk = Buffer.alloc(64 * 1024, 'x');
let mesh: TestMesh;
let address: URL;

/** Takes uploads and says how long they were; gives downloads of TOTAL. */
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-length': request.url === '/short' ? 2 : TOTAL });
    if (request.url === '/short') response.end('ok');
    else pump(response, () => response.end());
    return;
  }
  let received = 0;
  request.on('data', (piece: Buffer) => (received += piece.length));
  request.on('end', () => response.end(String(received)));
});

/** Writes TOTAL bytes as fast as they are taken. */
function pump(
  to: { write(piece: Buffer): boolean; once(event: 'drain', listener: () => void): unknown },
  done: () => void,
  sent = 0,
): void {
  let at = sent;
  while (at < TOTAL) {
    at += chunk.length;
    if (to.write(chunk)) continue;
    to.once('drain', () => pump(to, done, at));
    return;
  }
  done();
}

function send(method: string, path: string, body: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'big', ...(body && { 'content-length': TOTAL }) };
    const request = httpRequest({ host: address.hostname, port: address.port, method, path, headers, agent: false }, resolve);
    request.on('error', reject);
    if (body) pump(request, () => request.end());
    else request.end();
  });
}

async function read(response: IncomingMessage): Promise<{ bytes: number; last: string }> {
  let bytes = 0;
  let last = '';
  for await (const piece of response) {
    bytes += piece.length;
    last = piece.length < 100 ? String(piece) : '';
  }
  return { bytes, last };
}

/** By how much the process grew at most while something ran, in bytes. */
async function growth(run: () => Promise<void>): Promise<number> {
  const { pid } = mesh.agent.status().engine;
  const resident = (): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
  const before = resident();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, resident())), 10);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, resident()) - before;
}

test.before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  mesh = await startMesh({
    'mesh.yaml': service('big') + workload('big', { app: 'big' }, port, { 'fairlead.dev/http-proxy-port': String(testPort()) }),
  });
  address = new URL(`http://${mesh.httpProxy('big.default')}`);
  // Code and connections are there before it counts.
  for (let i = 0; i < 20; i++) await read(await send('GET', '/short', false));
});
test.after(async () => {
  await mesh?.close();
  server.closeAllConnections();
  server.close();
});

linux('an upload does not go through memory', async () => {
  const grown = await growth(async () => {
    const answer = await read(await send('POST', '/', true));
    assert.is(answer.last, String(TOTAL));
  });
  assert.ok(grown < BOUND, `the process grew by ${Math.round(grown / MEGABYTE)} MB`);
});

linux('a download does not go through memory', async () => {
  const grown = await growth(async () => {
    assert.is((await read(await send('GET', '/long', false))).bytes, TOTAL);
  });
  assert.ok(grown < BOUND, `the process grew by ${Math.round(grown / MEGABYTE)} MB`);
});

test.run();
