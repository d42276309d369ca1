/** The independent client: gRPC without a proxy (@grpc/grpc-js-xds) dials services of the mesh by name and balances over their endpoints. */
import * as grpc from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { service, workload } from '../../support/mesh.ts';
import { until, withXds } from './fixture.ts';
import { snapshotMaker } from './shop.ts';

const METHOD = '/echo.Echo/Who';
const identity = (b: Buffer): Buffer => b;

/** A gRPC server that says its name. */
async function startEcho(name: string): Promise<{ port: number; stop(): void }> {
  const server = new grpc.Server();
  server.addService(
    {
      who: {
        path: METHOD,
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    { who: (_: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.from(name)) },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, at) => (error ? reject(error) : resolve(at))),
  );
  return { port, stop: () => server.forceShutdown() };
}

function call(client: grpc.Client, metadata: Record<string, string> = {}): Promise<string> {
  const headers = new grpc.Metadata();
  for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(METHOD, identity, identity, Buffer.alloc(0), headers, { deadline: Date.now() + 10_000 }, (error, value) =>
      error ? reject(error) : resolve(String(value)),
    ),
  );
}

const subsets = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo }
spec:
  host: echo
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;
const route = (spec: object): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo }
spec: ${JSON.stringify({ hosts: ['echo'], ...spec })}
`;
const echo = service('echo', 7070).replace('name: http', 'name: grpc');
const to = (subset: string, weight?: number) => ({ destination: { host: 'echo', subset }, ...(weight === undefined ? {} : { weight }) });

test(
  'a gRPC client without a proxy balances over the endpoints, follows routes, and sees changes of both',
  withXds(async ({ server, target }) => {
    const [one, two, three] = [await startEcho('one'), await startEcho('two'), await startEcho('three')];
    const { snapshot } = snapshotMaker();
    const member = (name: string, version: string, port: number): string =>
      workload(name, { app: 'echo', version }, port).replace('"http"', '"grpc"');
    const around = `${workload('web', { app: 'web' }, 1)}${echo}${subsets}`;
    const v1 = member('echo-1', 'v1', one.port);
    const v2 = member('echo-2', 'v2', two.port);
    const first = await snapshot(around + v1 + v2);
    server.set(first);
    process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = JSON.stringify({
      xds_servers: [{ server_uri: target, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
      node: { id: first.proxy.id, metadata: { GENERATOR: 'grpc' } },
    });
    register();
    const client = new grpc.Client('xds:///echo.default.svc.cluster.local:7070', grpc.credentials.createInsecure());
    const short = new grpc.Client('xds:///echo:7070', grpc.credentials.createInsecure());
    const shares = async (calls: number, metadata?: Record<string, string>): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < calls; i++) {
        const name = await call(client, metadata);
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    };
    try {
      await call(client);
      const even = await shares(100);
      assert.ok(even['one']! >= 40 && even['two']! >= 40, `in turn: ${JSON.stringify(even)}`);
      assert.match(await call(short), /one|two/);

      server.set(
        await snapshot(
          around +
            v1 +
            v2 +
            route({
              http: [{ match: [{ headers: { canary: { exact: 'yes' } } }], route: [to('v2')] }, { route: [to('v1', 90), to('v2', 10)] }],
            }),
        ),
      );
      await settled(async () => (await shares(10, { canary: 'yes' }))['two'] === 10);
      const split = await shares(300);
      assert.ok(split['one']! > 230 && split['two']! > 5, `90 to 10: ${JSON.stringify(split)}`);

      server.set(await snapshot(around + v1 + member('echo-2', 'v2', three.port) + route({ http: [{ route: [to('v2')] }] })));
      await settled(async () => (await call(client)) === 'three');
      assert.equal(await shares(20), { three: 20 });

      server.set(
        await snapshot(
          around +
            v1 +
            route({ http: [{ fault: { abort: { percentage: { value: 100 }, grpcStatus: 'RESOURCE_EXHAUSTED' } }, route: [to('v1')] }] }),
        ),
      );
      await settled(() =>
        call(client).then(
          () => false,
          (e: grpc.ServiceError) => e.code === grpc.status.RESOURCE_EXHAUSTED,
        ),
      );
      const refused = server.clients().flatMap((c) => c.types.filter((t) => t.nack));
      assert.equal(refused, [], 'it took everything');
      assert.ok(server.clients().every((c) => c.proxyless && c.protocol === 'sotw'));
    } finally {
      client.close();
      short.close();
      for (const s of [one, two, three]) s.stop();
    }
  }),
);

/** Asks until it is so, for five seconds. */
async function settled(holds: () => Promise<boolean>): Promise<void> {
  let last = false;
  await until('the client sees the change', () => {
    void holds().then(
      (h) => {
        last ||= h;
      },
      () => undefined,
    );
    return last;
  });
}

test.run();
