/** Handshakes with client certificates, and requests over TLS, of the embedded proxy beside Envoy with one worker. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProxyUnderTest, startEmbedded, startEnvoy } from '../test/proxy/tls/both.ts';
import { downstream, http, mutual, TLS_INSPECTOR } from '../test/proxy/tls/configs.ts';
import { caSecret, certificateSecret, createPki } from '../test/proxy/tls/pki.ts';
import { median } from './figures.ts';
import { inPath } from './proxy/peers.ts';

const ROUNDS = 3;
const SECONDS = 3;
/** openssl s_time makes one connection after the other. */
const CLIENTS = 4;

export async function benchTls(): Promise<void> {
  const wrk = inPath('wrk');
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const pki = await createPki();
  const client = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'] });
  for (const [name, text] of Object.entries(client)) writeFileSync(join(folder, name), text);
  const route = { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'ok' } } };
  const config = {
    listener: {
      listenerFilters: [TLS_INSPECTOR],
      // wrk has no certificate: clients may come without one, and who shows one is looked at.
      filterChains: [{ transportSocket: downstream(mutual(), { requireClientCertificate: false }), filters: [http([route])] }],
    },
    secrets: [certificateSecret('default', await pki.issue({ dns: ['a.test'] })), caSecret('ROOTCA', pki.ca)],
  };
  const envoy = await startEnvoy(config);
  const proxies = [await startEmbedded(config), ...(envoy === undefined ? [] : [envoy])];
  const measures: [string, (proxy: ProxyUnderTest) => Promise<number>][] = [
    ['mTLS handshakes/s', (proxy) => handshakes(proxy.port, folder)],
  ];
  if (wrk) measures.push(['requests/s over TLS', (proxy) => requests(wrk, proxy.port)]);
  else console.log('requests are left out: wrk is not installed (Debian: apt-get install wrk)');
  try {
    for (const [what, measure] of measures) {
      const found = new Map<string, number[]>(proxies.map((proxy) => [proxy.name, []]));
      // In turn, not one after the other: the machine's speed drifts.
      for (let round = 0; round < ROUNDS; round++) for (const proxy of proxies) found.get(proxy.name)!.push(await measure(proxy));
      const [embedded, other] = proxies.map((proxy) => median(found.get(proxy.name)!));
      const ratio = other === undefined ? 'no Envoy here' : `Envoy ${Math.round(other)}, ratio ${(embedded! / other).toFixed(2)}`;
      console.log(`${what}: embedded ${Math.round(embedded!)}, ${ratio}`);
    }
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()));
    rmSync(folder, { recursive: true });
  }
}

async function handshakes(port: number, folder: string): Promise<number> {
  const args = [
    's_time',
    '-connect',
    `127.0.0.1:${port}`,
    '-cert',
    join(folder, 'cert'),
    '-key',
    join(folder, 'key'),
    '-new',
    '-time',
    String(SECONDS),
  ];
  const said = await Promise.all(Array.from({ length: CLIENTS }, () => run('openssl', args)));
  return said
    .map((text) => /(\d+) connections in (\d+) real seconds/.exec(text) ?? ['', '0', '1'])
    .reduce((sum, [, count, seconds]) => sum + Number(count) / Number(seconds), 0);
}

async function requests(wrk: string, port: number): Promise<number> {
  const text = await run(wrk, ['-t1', '-c32', `-d${SECONDS}s`, `https://127.0.0.1:${port}/`]);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0);
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}
