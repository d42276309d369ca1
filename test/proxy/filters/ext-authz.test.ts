import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { isDeepStrictEqual } from 'node:util';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeStruct } from '../../../agent/proxy/filters/ext-authz/struct.ts';
import { type Answer, type Engine, echoBackend, get, listen, type Setup, startEmbedded, startEnvoy } from './both-engines.ts';

const test = suite('external authorization filter');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';

/** Differ from run to run. */
const VARIES = new Set([
  'x-request-id',
  'x-forwarded-for',
  'x-envoy-expected-rq-timeout-ms',
  'connection',
  'grpc-timeout',
  'user-agent',
  'content-length',
]);

/** What the service was asked, the last one first. */
type Asked = Record<string, unknown>;

/** Answers as the request's x-do asks: `deny 401`, `headers`, … */
async function httpAuthz(asked: Asked[]): Promise<{ host: string; close(): void }> {
  const server = createHttp1((request: IncomingMessage, response: ServerResponse) => {
    const body: Buffer[] = [];
    request.on('data', (chunk) => body.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers)
          .filter(([name]) => !VARIES.has(name))
          .sort(),
      );
      asked.unshift({ method: request.method, url: request.url, headers, body: Buffer.concat(body).toString('latin1') });
      const [what = '', more = ''] = String(request.headers['x-do'] ?? '').split(' ');
      response.sendDate = false;
      if (what === 'deny') {
        response.writeHead(Number(more), {
          'www-authenticate': 'Basic',
          'x-why': 'denied',
          'set-cookie': ['a=1', 'b=2'],
          'content-type': 'text/html',
        });
        response.end('<b>no</b>');
      } else if (what === 'headers') {
        response.writeHead(200, {
          'x-user': 'jason',
          'x-more': ['1', '2'],
          'x-client': 'told',
          'x-meta': 'kept',
          'x-other': 'dropped',
          'x-envoy-auth-headers-to-remove': 'x-secret, x-do, host, :path',
        });
        response.end('ignored');
      } else if (what === 'redirect') {
        response.writeHead(302, { location: 'https://login.test/?a=b' });
        response.end();
      } else if (what === 'break') request.socket.destroy();
      else if (what === 'wait') setTimeout(() => response.end(), 2000).unref();
      else response.end();
    });
  });
  return {
    host: await listen(server),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function text(w: BinaryWriter, no: number, value: string): BinaryWriter {
  return w.tag(no, WireType.LengthDelimited).string(value);
}

function message(w: BinaryWriter, no: number, write: (w: BinaryWriter) => void): void {
  w.tag(no, WireType.LengthDelimited).fork();
  write(w);
  w.join();
}

/** HeaderValueOption. */
function option(w: BinaryWriter, no: number, name: string, value: string, append?: boolean, action?: number): void {
  message(w, no, (o) => {
    message(o, 1, (h) => text(text(h, 1, name), 2, value));
    if (append !== undefined) message(o, 2, (b) => b.tag(1, WireType.Varint).bool(append));
    if (action !== undefined) o.tag(3, WireType.Varint).int32(action);
  });
}

const GRPC_ANSWERS: Readonly<Record<string, (w: BinaryWriter) => void>> = {
  '': () => undefined,
  deny(w) {
    message(w, 1, (s) => s.tag(1, WireType.Varint).int32(7));
  },
  'deny-more'(w) {
    message(w, 1, (s) => s.tag(1, WireType.Varint).int32(16));
    message(w, 2, (d) => {
      message(d, 1, (s) => s.tag(1, WireType.Varint).int32(401));
      option(d, 2, 'x-why', 'one');
      option(d, 2, 'set-cookie', 'a=1');
      option(d, 2, 'set-cookie', 'b=2');
      option(d, 2, 'content-type', 'application/json');
      text(d, 3, '{"no":true}');
    });
  },
  headers(w) {
    message(w, 1, (s) => s.tag(1, WireType.Varint).int32(0));
    message(w, 3, (ok) => {
      option(ok, 2, 'x-set', 'new', false);
      option(ok, 2, 'x-appended', 'more', true);
      option(ok, 2, 'x-absent', 'more', true);
      option(ok, 2, 'x-plain', 'plain');
      option(ok, 2, 'x-if-absent', 'mine', undefined, 1);
      option(ok, 2, 'x-over', 'mine', undefined, 2);
      option(ok, 2, 'x-if-there', 'mine', undefined, 3);
      text(ok, 5, 'x-secret');
      text(ok, 5, 'host');
      option(ok, 6, 'x-told', 'client');
      message(ok, 7, (q) => text(text(q, 1, 'who'), 2, 'jason'));
      text(ok, 8, 'drop');
    });
    message(w, 4, (s) => writeStruct(s, { user: 'jason', n: 1.5, yes: true, none: null, list: ['a', { b: 1 }] }));
  },
  routed(w) {
    message(w, 3, (ok) => option(ok, 2, 'x-tier', 'gold'));
  },
};

/** Any protobuf message as nested lists of fields, texts where they are ones. */
function readAny(bytes: Uint8Array): unknown[] {
  const reader = new BinaryReader(bytes);
  const fields: unknown[] = [];
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (type === WireType.Varint) fields.push([no, String(reader.int64())]);
    else if (type === WireType.LengthDelimited) fields.push([no, reader.bytes()]);
    else throw new Error(`wire type ${type}`);
  }
  return fields;
}

/** The parts of a CheckRequest that can be compared. */
function readCheck(bytes: Uint8Array): Asked {
  const field = (of: unknown[], no: number): unknown => (of as [number, unknown][]).find(([n]) => n === no)?.[1];
  const sub = (of: unknown[], no: number): unknown[] => {
    const found = field(of, no);
    return found === undefined ? [] : readAny(found as Uint8Array);
  };
  const string = (of: unknown[], no: number): string | undefined => {
    const found = field(of, no);
    return found === undefined ? undefined : typeof found === 'string' ? found : Buffer.from(found as Uint8Array).toString();
  };
  const attributes = sub(readAny(bytes), 1);
  const address = (peer: unknown[]): string | undefined => string(sub(sub(peer, 1), 1), 2);
  const [source, destination, request] = [sub(attributes, 1), sub(attributes, 2), sub(attributes, 4)];
  const http = sub(request, 2);
  const headers: Record<string, string> = {};
  for (const [no, value] of http as [number, Uint8Array][]) {
    if (no !== 3) continue;
    const pair = readAny(value);
    const name = string(pair, 1)!;
    if (!VARIES.has(name)) headers[name] = string(pair, 2) ?? '';
  }
  return {
    source: [address(source), string(source, 2), string(source, 4)],
    destination: [address(destination), string(destination, 4)],
    time: field(request, 1) !== undefined,
    method: string(http, 2),
    path: string(http, 4),
    host: string(http, 5),
    scheme: string(http, 6),
    query: string(http, 7),
    size: string(http, 9),
    protocol: string(http, 10),
    body: string(http, 11),
    rawBody: string(http, 12),
    headers: Object.fromEntries(Object.entries(headers).sort()),
    metadata: Buffer.from((field(attributes, 11) as Uint8Array) ?? []).toString('latin1'),
  };
}

async function grpcAuthz(asked: Asked[]): Promise<{ host: string; close(): void }> {
  const server = createHttp2();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const check = readCheck(Buffer.concat(pieces).subarray(5));
      const call = Object.fromEntries(
        ['te', 'content-type', ':path', ':authority', ':method', 'x-envoy-internal'].map((n) => [n, headers[n]]),
      );
      asked.unshift({ ...check, call });
      const what = (check['headers'] as Record<string, string>)['x-do'] ?? '';
      if (what === 'fail') {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '13' }, { endStream: true });
        return;
      }
      if (what === 'wait') return;
      const w = new BinaryWriter();
      (GRPC_ANSWERS[what] ?? GRPC_ANSWERS['']!)(w);
      const bytes = what === 'junk' ? Buffer.from([255, 255, 255]) : w.finish();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes.length, 1);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.concat([head, bytes]));
    });
  });
  const host = await listen(server);
  return {
    host,
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

const post = (path: string, body: string, headers: readonly string[] = []): string =>
  `${get(path, [`content-length: ${body.length}`, ...headers], 'shop.test', 'POST')}${body}`;
const act = (what: string): string => `x-do: ${what}`;

type Case = readonly [title: string, status: number, request: string];

/** How long it took is no part of the comparison, that it is told is. */
function withoutDuration(answer: Answer): Answer {
  const metadata = answer.log['metadata'] as Record<string, unknown> | null | undefined;
  if (typeof metadata?.['ext_authz_duration'] === 'number') metadata['ext_authz_duration'] = 'told';
  return answer;
}

/** Asks both engines the same, with a service of each one's own. */
async function compare(
  cases: readonly Case[],
  setup: (authz: string) => Setup,
  start: typeof httpAuthz,
  stats: readonly string[],
): Promise<void> {
  const backend = await echoBackend();
  const asked: Asked[][] = [[], []];
  const services = [await start(asked[0]!), await start(asked[1]!)];
  const engines: Engine[] = [];
  try {
    for (const [i, run] of [startEmbedded, startEnvoy].entries()) {
      const made = setup(services[i]!.host);
      const engine = await run({ ...made, clusters: [{ name: 'backend', hosts: [backend.host] }, ...(made.clusters ?? [])] });
      if (engine !== undefined) engines.push(engine);
    }
    const wrong: string[] = [];
    for (const [title, status, request] of cases) {
      const answers: Answer[] = await Promise.all(engines.map((engine) => engine.send(request)));
      const [mine, theirs] = answers.map((answer, i) => ({ ...withoutDuration(answer), asked: asked[i]!.splice(0) }));
      if (mine!.status !== status) wrong.push(`${title}: ${mine!.status}, ${status} expected`);
      if (theirs !== undefined && !isDeepStrictEqual(mine, theirs))
        wrong.push(`${title}: ${JSON.stringify(mine)}\n  Envoy: ${JSON.stringify(theirs)}`);
    }
    assert.is(wrong.join('\n').replaceAll(services[1]!.host, services[0]!.host), '');
    const [embedded, envoy] = engines;
    for (const stat of stats) {
      assert.ok((await embedded!.stat(stat))! > 0, stat);
      if (envoy !== undefined) assert.is(await embedded!.stat(stat), await envoy.stat(stat), stat);
    }
  } finally {
    for (const engine of engines) await engine.close();
    for (const service of services) service.close();
    backend.server.close();
  }
}

const filter = (config: object): object => ({
  name: 'envoy.filters.http.ext_authz',
  typedConfig: { '@type': `${HTTP}.ext_authz.v3.ExtAuthz`, ...config },
});
const log = { metadata: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz)%' };
const routes = [
  {
    match: { prefix: '/', headers: [{ name: 'x-tier', stringMatch: { exact: 'gold' } }] },
    directResponse: { status: 299, body: { inlineString: 'gold' } },
  },
  { match: { prefix: '/direct' }, directResponse: { status: 204 } },
  { match: { prefix: '/shop' }, route: { cluster: 'backend' } },
];

test('a service over HTTP', async () => {
  const cases: Case[] = [
    ['allowed', 200, get('/shop?a=b')],
    ['told headers', 200, get('/shop', ['authorization: Basic x', 'x-told: 1', 'x-told: 2', 'x-not: 1', 'X-Pre-fix: y'])],
    ['denied', 403, get('/shop', [act('deny 403')])],
    ['denied as unauthorized', 401, get('/shop', [act('deny 401')])],
    ['denied, HEAD', 401, get('/shop', [act('deny 401')], 'shop.test', 'HEAD')],
    ['denied with a 2xx', 201, get('/shop', [act('deny 201')])],
    ['redirected', 302, get('/shop', [act('redirect')])],
    ['headers', 200, get('/shop', [act('headers'), 'x-user: root', 'x-more: 0', 'x-secret: s', 'x-meta: m'])],
    ['the service fails', 500, get('/shop', [act('deny 503')])],
    ['the service breaks off', 500, get('/shop', [act('break')])],
    ['the service is slow', 500, get('/shop', [act('wait')])],
    ['no route', 404, get('/nowhere', [act('deny 403')])],
    ['a direct response', 403, get('/direct', [act('deny 403')])],
    ['an allowed direct response', 204, get('/direct')],
    ['a body', 200, post('/shop', 'hello')],
    ['a body that is denied', 403, post('/shop', 'hello', [act('deny 403')])],
    ['another method', 200, get('/shop', [], 'shop.test', 'DELETE')],
    ['a port', 200, get('/shop', [], 'Shop.Test:8080')],
  ];
  const setup = (authz: string): Setup => ({
    clusters: [{ name: 'authz', hosts: [authz] }],
    routes: routes as never,
    log,
    filters: [
      filter({
        httpService: {
          serverUri: { uri: 'http://authz.test', cluster: 'authz', timeout: '0.5s' },
          pathPrefix: '/check',
          authorizationRequest: {
            allowedHeaders: { patterns: [{ exact: 'x-do' }, { exact: 'x-told' }, { prefix: 'x-pre', ignoreCase: true }] },
            headersToAdd: [{ key: 'x-added', value: 'yes' }],
          },
          authorizationResponse: {
            allowedUpstreamHeaders: { patterns: [{ exact: 'x-user' }] },
            allowedUpstreamHeadersToAppend: { patterns: [{ exact: 'x-more' }] },
            allowedClientHeaders: { patterns: [{ exact: 'x-why' }, { exact: 'set-cookie' }] },
            allowedClientHeadersOnSuccess: { patterns: [{ exact: 'x-client' }] },
            dynamicMetadataFromHeaders: { patterns: [{ exact: 'x-meta' }] },
          },
        },
        statusOnError: { code: 'InternalServerError' },
        clearRouteCache: true,
      }),
    ],
  });
  await compare(
    cases,
    setup,
    httpAuthz,
    ['ok', 'denied', 'error'].map((name) => `http.test.ext_authz.${name}`),
  );
});

test('a service over HTTP that sees bodies, and may fail', async () => {
  const cases: Case[] = [
    ['no body', 200, get('/shop')],
    ['a small body', 200, post('/shop', 'hello')],
    ['as large as may be', 200, post('/shop', 'x'.repeat(10))],
    ['larger', 200, post('/shop', 'y'.repeat(5000))],
    ['a body in chunks', 200, `${get('/shop', ['transfer-encoding: chunked'], 'shop.test', 'POST')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`],
    ['the service breaks off', 200, get('/shop', [act('break')])],
    ['denied with all its headers', 402, post('/shop', 'hello', [act('deny 402')])],
  ];
  const setup = (authz: string): Setup => ({
    clusters: [{ name: 'authz', hosts: [authz] }],
    routes: routes as never,
    filters: [
      filter({
        httpService: {
          serverUri: { uri: 'http://authz.test', cluster: 'authz', timeout: '0.5s' },
          authorizationRequest: { allowedHeaders: { patterns: [{ prefix: 'x-' }] } },
        },
        failureModeAllow: true,
        failureModeAllowHeaderAdd: true,
        withRequestBody: { maxRequestBytes: 10, allowPartialMessage: true },
        statPrefix: 'mine',
      }),
    ],
  });
  await compare(cases, setup, httpAuthz, ['http.test.ext_authz.mine.failure_mode_allowed', 'http.test.ext_authz.mine.ok']);
});

test('a service over gRPC', async () => {
  const cases: Case[] = [
    ['allowed', 200, get('/shop?a=b', ['x-told: 1', 'x-told: 2', 'x-empty:'])],
    ['denied', 403, get('/shop', [act('deny')])],
    ['denied with more', 401, get('/shop', [act('deny-more')])],
    [
      'headers',
      200,
      get('/shop?drop=1&a=b', [
        act('headers'),
        'x-set: old',
        'x-appended: 0',
        'x-plain: 0',
        'x-if-absent: 0',
        'x-over: 0',
        'x-if-there: 0',
        'x-secret: s',
      ]),
    ],
    ['headers where there were none', 200, get('/shop', [act('headers')])],
    ['another route', 299, get('/shop', [act('routed')])],
    ['a failure', 403, get('/shop', [act('fail')])],
    ['junk', 403, get('/shop', [act('junk')])],
    ['too slow', 403, get('/shop', [act('wait')])],
    ['a body', 200, post('/shop', 'hello')],
    ['a body that is too large', 413, post('/shop', 'x'.repeat(200))],
    ['a service cluster', 200, get('/shop', ['x-envoy-downstream-service-cluster: web'])],
  ];
  const setup = (authz: string): Setup => ({
    clusters: [{ name: 'authz', hosts: [authz], http2: true }],
    routes: routes as never,
    log,
    filters: [
      filter({
        grpcService: { envoyGrpc: { clusterName: 'authz' }, timeout: '0.5s' },
        transportApiVersion: 'V3',
        clearRouteCache: true,
        withRequestBody: { maxRequestBytes: 100, packAsBytes: true },
        disallowedHeaders: { patterns: [{ exact: 'x-not' }] },
      }),
    ],
  });
  await compare(
    cases,
    setup,
    grpcAuthz,
    ['ok', 'denied', 'error'].map((name) => `http.test.ext_authz.${name}`),
  );
});

test.run();
