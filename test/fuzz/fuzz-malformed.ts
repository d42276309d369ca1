/** Malformed HTTP through the embedded proxy, beside clients that behave: those must not notice anything. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedEngine } from '../../agent/embedded/engine.ts';
import { createLog } from '../../agent/log.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import { type Random, random } from '../config/random.ts';
import { readStats } from '../contract/engines/stats-text.ts';
import { freePort } from '../contract/ports.ts';
import { until } from '../support/http.ts';
import { service, workload } from '../support/mesh.ts';
import { sendHttp1 } from './http1-wire.ts';
import { malformedBytes } from './malformed-bytes.ts';
import { malformedFrames } from './malformed-frames.ts';

export interface MalformedOptions {
  seed: number;
  /** Milliseconds since 1970. */
  until: number;
  log(line: string): void;
}

/** Bad connections at a time, and good clients beside them. */
const ATTACKERS = 16;
const WITNESSES = 6;
/** A connection on which nothing more comes is given up by its client. */
const PATIENCE_MS = 250;
/** What the proxy may take to let go of everything when all clients have gone. */
const QUIET_MS = 15_000;

/** Gauges that are 0 when nobody is there. */
const HELD = /^(?:http\..*\.downstream_(?:cx|rq)_active|cluster\..*\.upstream_rq_(?:active|pending_active))$/;

/** Returns what went wrong, empty when nothing did. */
export async function fuzzMalformed({ seed, until: end, log }: MalformedOptions): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-fuzz-'));
  const problems: string[] = [];
  const complain = (what: string): void => void (problems.length < 20 && problems.push(what));
  const backend = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => echo(request, response, complain));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const port = await freePort();
  const annotations = { 'fairlead.dev/http-proxy-port': String(port) };
  const { resources } = await parseConfig(
    `${service('a')}${workload('a', { app: 'a' }, (backend.address() as AddressInfo).port, annotations)}`,
    'fuzz.yaml',
  );
  const mesh = buildMesh(resources);
  const [proxy] = proxiesOf(mesh, { addresses: [], pods: 'none' });
  const engine = createEmbeddedEngine({
    socket: join(folder, 'proxy.sock'),
    logFile: join(folder, 'proxy.log'),
    version: 'fuzz',
    orphanSeconds: 5,
    log: createLog('text', 'error', (line) => complain(`the engine says ${line.trim()}`)),
    describe: () => undefined,
  });
  let connections = 0;
  let requests = 0;
  try {
    await engine.start();
    const applied = await engine.apply(buildSnapshot(mesh, proxy!));
    if (!applied.applied) throw new Error(JSON.stringify(applied.problems));
    const { pid } = engine.status();
    const over = (): boolean => Date.now() > end || problems.length > 0;
    await Promise.all([
      ...Array.from({ length: ATTACKERS }, async (_, n) => {
        for (let i = 0; !over(); i++) {
          const r = random(seed + 1000 * n + 1_000_003 * i);
          await attack(r, port, `bad-${n}-${i}`, complain);
          connections++;
        }
      }),
      ...Array.from({ length: WITNESSES }, async (_, n) => {
        const http2 = n % 2 === 1 ? http2Witness(port) : undefined;
        for (let i = 0; !over(); i++) {
          await (http2 ?? http1Witness)(port, `good-${n}-${i}`, complain);
          requests++;
        }
        http2?.close();
      }),
    ]);
    if (engine.status().restarts > 0 || engine.status().pid !== pid) complain(`the proxy ended: ${engine.status().lastExit}`);
    const held = async (): Promise<string[]> => {
      const { body } = await engine.admin(proxy!.id, 'GET', '/stats');
      return [...readStats(body.toString('utf8'))].flatMap(([name, value]) =>
        HELD.test(name) && value !== 0 ? [`${name} is ${value}`] : [],
      );
    };
    await until('every connection and request is let go', async () => (await held()).length === 0, QUIET_MS).catch(async (error: Error) =>
      complain(`${error.message}: ${(await held()).join(', ')}`),
    );
  } finally {
    await engine.stop();
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  }
  log(
    `${connections} malformed connections beside ${requests} good requests from seed ${seed}: ${problems.length === 0 ? 'nothing noticed' : problems.length}`,
  );
  return problems;
}

/** Tells a request who it was; complains of one that only stood in another's body. */
function echo(request: IncomingMessage, response: ServerResponse, complain: (what: string) => void): void {
  if (/smuggled/.test(`${request.url} ${request.headers['x-fuzz-id']}`) || request.headers['smuggled'] !== undefined)
    complain(`a request out of a body arrived: ${request.method} ${request.url}`);
  request.resume();
  const id = String(request.headers['x-fuzz-id']);
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  request.on('end', () => response.writeHead(200, { 'x-fuzz-id': id }).end(`answer to ${id} at ${request.url}`));
}

async function http1Witness(port: number, id: string, complain: (what: string) => void): Promise<void> {
  const about = { protocol: 'http/1.1', to: 'sidecar', absolute: false, authority: 'a', chunked: false } as const;
  const answer = await sendHttp1(port, { ...about, method: 'POST', path: `/${id}`, headers: [['x-fuzz-id', id]], body: `body of ${id}` });
  if (answer.status !== 200 || answer.body !== `answer to ${id} at /${id}`)
    complain(`${id} got ${answer.status} ${JSON.stringify(answer.body.slice(0, 100))} ${answer.error ?? ''}`);
}

type Witness = ((port: number, id: string, complain: (what: string) => void) => Promise<void>) & { close(): void };

/** One connection for all its requests, several at a time. */
function http2Witness(port: number): Witness {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const one = (id: string, complain: (what: string) => void): Promise<void> =>
    new Promise((resolve) => {
      const stream = session.request({ ':path': `/${id}`, ':authority': 'a', 'x-fuzz-id': id });
      let body = '';
      stream.setEncoding('utf8').on('data', (d: string) => {
        body += d;
      });
      stream.on('error', (e) => complain(`${id}: ${e.message}`));
      stream.setTimeout(10_000, () => stream.destroy(new Error('no answer in time')));
      stream.on('close', () => {
        if (body !== `answer to ${id} at /${id}`) complain(`${id} got ${JSON.stringify(body.slice(0, 100))} over HTTP/2`);
        resolve();
      });
    });
  const witness = async (_port: number, id: string, complain: (what: string) => void): Promise<void> => {
    await Promise.all([0, 1, 2, 3].map((n) => one(`${id}.${n}`, complain)));
  };
  return Object.assign(witness, { close: () => session.destroy() });
}

/** Sends, listens a little, leaves. Any answer that names an id must name this connection's own. */
function attack(r: Random, port: number, id: string, complain: (what: string) => void): Promise<void> {
  const pieces: (string | Buffer)[] = r.below(3) === 0 ? malformedFrames(r, id) : [...malformedBytes(r, id)];
  const slow = r.below(20) === 0;
  const halfClose = r.below(2) === 0;
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let text = '';
    const timer = setTimeout(() => (r.below(2) === 0 ? socket.destroy() : socket.resetAndDestroy()), slow ? 2 * PATIENCE_MS : PATIENCE_MS);
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
    });
    socket.on('error', () => undefined);
    socket.on('connect', async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
        if (slow) await new Promise((next) => setTimeout(next, 20));
      }
      if (halfClose) socket.end();
    });
    socket.on('close', () => {
      clearTimeout(timer);
      // Changed bytes may have made another name of its own.
      const sent = pieces.join('');
      for (const [, other] of text.matchAll(/answer to ((?:bad|good)-\d+-\d+)/g))
        if (!sent.includes(other!))
          complain(`${id} got the answer of ${other}; it had sent ${JSON.stringify(pieces.join('').slice(0, 500))}`);
      resolve();
    });
  });
}
