/** One mesh and its requests through both engines at once, in front of the same backends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackend } from '../contract/backends/start.ts';
import type { Backend } from '../contract/backends/types.ts';
import type { ContractCase } from '../contract/case.ts';
import { h2cClient } from '../contract/clients/h2c.ts';
import type { Answer } from '../contract/clients/types.ts';
import { credentialsOf } from '../contract/credentials/credentials.ts';
import { secretsOf } from '../contract/credentials/secrets.ts';
import { embeddedEngine } from '../contract/engines/embedded.ts';
import { envoyEngine } from '../contract/engines/envoy.ts';
import type { ContractEngine } from '../contract/engines/types.ts';
import { CLIENT, meshOf } from '../contract/mesh-of-case.ts';
import { type Placeholders, placeholders } from '../contract/placeholders.ts';
import { sendHttp1 } from './http1-wire.ts';
import { differences, type Observation, observe } from './observe.ts';
import type { FuzzCase, FuzzMesh, FuzzRequest } from './types.ts';

const GATEWAY = 'ingressgateway.default';

export type Outcome =
  | { kind: 'same' }
  /** No mesh that anybody could run; nothing was compared. */
  | { kind: 'invalid'; why: string }
  | { kind: 'different'; request: number; lines: string[] };

export interface Pair {
  run(fuzzCase: FuzzCase): Promise<Outcome>;
  close(): Promise<void>;
}

/** Both engines, kept from mesh to mesh. @param envoy the binary */
export async function startPair(envoy: string): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-fuzz-'));
  const engines = await Promise.all([embeddedEngine(join(folder)), envoyEngine(envoy)(folder)]);
  return {
    run: (fuzzCase) => runBoth(engines, fuzzCase, folder),
    async close() {
      await Promise.all(engines.map((e) => e.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runBoth(engines: readonly ContractEngine[], { mesh, requests }: FuzzCase, folder: string): Promise<Outcome> {
  const backends = new Map<string, Backend>();
  const credentials = await credentialsOf(EMPTY);
  try {
    for (const [name, spec] of Object.entries(mesh.backends)) backends.set(name, await startBackend(name, spec, credentials));
    const lanes: { engine: ContractEngine; places: Placeholders; ports: Ports }[] = [];
    const refused: string[] = [];
    for (const engine of engines) {
      const places = placeholders([...backends].map(([name, { port }]) => [name, port] as const));
      let made: Awaited<ReturnType<typeof meshOf>>;
      try {
        made = await meshOf(caseOf(mesh, places), places, join(folder, 'access.log'));
      } catch (error) {
        return { kind: 'invalid', why: (error as Error).message };
      }
      const { snapshots } = made;
      try {
        await engine.run(snapshots, await secretsOf(made.mesh, snapshots));
      } catch (error) {
        refused.push(`${engine.name} ${(error as Error).message}`);
      }
      const ports = { sidecar: snapshots.get(CLIENT)?.proxy.httpProxyPort ?? 0, gateway: await places.port('gw') };
      lanes.push({ engine, places, ports });
    }
    if (refused.length === 2) return { kind: 'invalid', why: refused.join('; ') };
    if (refused.length === 1) return { kind: 'different', request: -1, lines: refused };
    for (const [i, request] of requests.entries()) {
      const seen = await Promise.all(lanes.map((lane) => once(lane.engine.name, lane.ports, request, backends)));
      const lines = differences(seen[0]!, seen[1]!);
      if (lines.length > 0) return { kind: 'different', request: i, lines };
    }
    return { kind: 'same' };
  } finally {
    for (const backend of backends.values()) await backend.close();
  }
}

interface Ports {
  sidecar: number;
  gateway: number;
}

const EMPTY: ContractCase = {
  ...{ file: 'fuzz.yaml', area: 'fuzz', name: 'fuzz', title: '', reference: '', skip: {}, steps: [], backends: {} },
  ...{ proxies: [], meshConfig: {}, certificates: {}, keys: {}, tokens: {}, mesh: '' },
};

/** What the contract makes meshes of. */
const caseOf = ({ backends, documents }: FuzzMesh, _places: Placeholders): ContractCase => ({
  ...EMPTY,
  backends,
  proxies: [CLIENT, ...(documents.some((d) => d['kind'] === 'Gateway') ? [GATEWAY] : [])],
  // Unknown hosts would be looked up, which takes its time.
  meshConfig: { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } },
  mesh: documents.map((d) => `---\n${JSON.stringify(d).replaceAll(/"(\$port\([^)]*\))"/g, '$1')}\n`).join(''),
});

let count = 0;

async function once(engine: string, ports: Ports, request: FuzzRequest, backends: ReadonlyMap<string, Backend>): Promise<Observation> {
  const id = `${engine}-${count++}`;
  const marked: FuzzRequest = { ...request, headers: [...request.headers, ['x-fuzz-id', id]] };
  const given = new Set(request.headers.map(([, value]) => value));
  const answer = withoutPorts(await send(ports[request.to], marked), ports);
  const arrived = [...backends.values()].flatMap((b) =>
    b.arrivals.filter((a) => a.headers.some(([k, v]) => k === 'x-fuzz-id' && v === id)),
  );
  return observe(answer, arrived, given, request.body !== undefined || request.chunked, request.method === 'HEAD');
}

async function send(port: number, request: FuzzRequest): Promise<Answer> {
  const { protocol, method, authority, path, headers, body } = request;
  if (protocol.startsWith('http/1')) return sendHttp1(port, request);
  const client = h2cClient(protocol === 'grpc' ? 'grpc' : 'plain');
  const about = { port, source: undefined, target: path, sni: undefined, tls: undefined };
  try {
    return await client.send({ ...about, method, authority, path, headers, body, send: protocol === 'grpc' ? [body ?? ''] : [] });
  } finally {
    client.close();
  }
}

/** Each engine listens on ports of its own. */
function withoutPorts(answer: Answer, { sidecar, gateway }: Ports): Answer {
  const plain = (text: string): string => text.replaceAll(String(gateway), '<gateway>').replaceAll(String(sidecar), '<sidecar>');
  return { ...answer, headers: answer.headers.map(([k, v]) => [k, plain(v)] as const) };
}
