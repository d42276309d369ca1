/** The independent client: gRPC without a proxy (@grpc/grpc-js-xds) dials services of the mesh by name and balances over their endpoints. */
import { Worker } from 'node:worker_threads';
import * as grpc from '@grpc/grpc-js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { service, workload } from '../../support/mesh.ts';
import { withXds } from './fixture.ts';
import type { CallAnswer } from './grpc-caller.ts';
import { snapshotMaker } from './shop.ts';

const METHOD = '/echo.Echo/Who';
const HOST = 'xds:///echo.default.svc.cluster.local:7070';
const identity = (b: Buffer): Buffer => b;

/** A gRPC server that says its name. */
async function startEcho(name: string): Promise<{ port: number; stop(): void }> {
  const server = new grpc.Server();
  const who = {
    path: METHOD,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
  server.addService({ who }, { who: (_: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.from(name)) });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, at) => (error ? reject(error) : resolve(at))),
  );
  return { port, stop: () => server.forceShutdown() };
}

/** Calls in a thread of their own. */
function startCaller(bootstrap: object) {
  const worker = new Worker(new URL('./grpc-caller.ts', import.meta.url), { workerData: bootstrap });
  const waiting = new Map<number, (answer: CallAnswer) => void>();
  let last = 0;
  worker.on('message', (answer: CallAnswer) => waiting.get(answer.id)?.(answer));
  return {
    call: (target: string, metadata: Record<string, string> = {}): Promise<CallAnswer> =>
      new Promise((resolve) => {
        const id = ++last;
        waiting.set(id, resolve);
        worker.postMessage({ id, target, method: METHOD, metadata });
      }),
    stop: () => worker.terminate(),
  };
}

const subsets = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo }
spec:
  host: echo
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;
const route = (http: readonly object[]): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo }
spec: ${JSON.stringify({ hosts: ['echo'], http })}
`;
const to = (subset: string, weight?: number) => ({ destination: { host: 'echo', subset }, ...(weight === undefined ? {} : { weight }) });
const member = (name: string, version: string, port: number): string =>
  workload(name, { app: 'echo', version }, port).replace('"http"', '"grpc"');

test(
  'a gRPC client without a proxy balances over the endpoints, follows routes, and sees changes of both',
  withXds(async ({ server, target }) => {
    const servers = await Promise.all(['one', 'two', 'three'].map(startEcho));
    const [one, two, three] = servers.map((s) => s.port) as [number, number, number];
    const { snapshot } = snapshotMaker();
    const around = workload('web', { app: 'web' }, 1) + service('echo', 7070).replace('name: http', 'name: grpc') + subsets;
    const v1 = member('echo-1', 'v1', one);
    const first = await snapshot(around + v1 + member('echo-2', 'v2', two));
    server.set(first);
    const caller = startCaller({
      xds_servers: [{ server_uri: target, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
      node: { id: first.proxy.id, locality: {}, metadata: { GENERATOR: 'grpc' } },
    });
    const shares = async (calls: number, metadata?: Record<string, string>): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < calls; i++) {
        const { said, code, details } = await caller.call(HOST, metadata);
        const what = said ?? `${code} ${details}`;
        counts[what] = (counts[what] ?? 0) + 1;
      }
      return counts;
    };
    const seen = async (what: string, metadata?: Record<string, string>): Promise<void> => {
      for (const deadline = Date.now() + 5000; ; ) {
        const answer = await caller.call(HOST, metadata);
        if ((answer.said ?? String(answer.code)) === what) return;
        if (Date.now() > deadline) assert.unreachable(`no ${what} within 5 s, but ${JSON.stringify(answer)}`);
      }
    };
    try {
      await seen('one');
      await seen('two');
      const even = await shares(100);
      assert.ok(even['one']! >= 40 && even['two']! >= 40, `in turn: ${JSON.stringify(even)}`);
      assert.match((await caller.call('xds:///echo:7070')).said ?? '', /one|two/, 'the short name');

      const canary = { match: [{ headers: { canary: { exact: 'yes' } } }], route: [to('v2')] };
      server.set(await snapshot(around + v1 + member('echo-2', 'v2', two) + route([canary, { route: [to('v1', 90), to('v2', 10)] }])));
      await seen('two', { canary: 'yes' });
      await seen('one');
      const split = await shares(300);
      assert.ok(split['one']! > 230 && split['two']! > 5, `90 to 10: ${JSON.stringify(split)}`);
      assert.equal(await shares(20, { canary: 'yes' }), { two: 20 });

      server.set(await snapshot(around + v1 + member('echo-2', 'v2', three) + route([{ route: [to('v2')] }])));
      await seen('three');
      assert.equal(await shares(20), { three: 20 });

      const abort = { percentage: { value: 100 }, grpcStatus: 'RESOURCE_EXHAUSTED' };
      server.set(await snapshot(around + v1 + route([{ fault: { abort }, route: [to('v1')] }])));
      await seen(String(grpc.status.RESOURCE_EXHAUSTED));

      const clients = server.clients();
      assert.equal(
        clients.flatMap((c) => c.types.filter((t) => t.nack)),
        [],
        'it took everything',
      );
      assert.ok(clients.length > 0 && clients.every((c) => c.proxyless && c.protocol === 'sotw'));
    } finally {
      await caller.stop();
      for (const s of servers) s.stop();
    }
  }),
);

test.run();
