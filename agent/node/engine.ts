/**
 * The engine of a node's agent: the proxies run in the pods of the node, each with an agent of its own, and take what they are to have from
 * here, by xDS on a Unix socket. A pod is known by its service account's token. Nobody waits for a pod: what it takes or refuses is told
 * when it says so (`onTaken`, `onRefused`), and traffic needs none of this process.
 */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';
import type { ApplyResult, Engine, EngineStatus } from '../engine.ts';
import { typeSyncs } from '../envoy/type-sync.ts';
import type { Log } from '../log.ts';
import { UNAUTHENTICATED } from '../xds/refuse-call.ts';
import type { XdsServer } from '../xds/server.ts';
import type { Admission } from '../xds/services.ts';
import type { XdsCall } from '../xds/stream.ts';
import { createNodePods } from './pods.ts';
import { denied, type Reviewer } from './reviewer.ts';

export interface NodeEngineOptions {
  /** Of the pods. Its folder must be there. */
  socket: string;
  nodeName: string;
  version: string;
  reviewer: Reviewer;
  /** A pod asks that was not served before: the proxies are to be chosen again. */
  asked(): void;
  /** What the agent in the pod is told of its proxy besides. */
  about(proxy: ProxyNode): readonly object[];
  log: Log;
}

export interface NodeEngine extends Engine {
  /** The proxies that are to be served. */
  choose(mesh: Mesh): ProxyNode[];
}

interface Served {
  snapshot: Snapshot;
  taken: string | undefined;
  refusal: { version: string; at: number; problems: readonly Problem[] } | undefined;
  /** It was waited for in vain, and has not answered since. */
  late: boolean;
}

/** Pods of all users connect; what they get depends on the token that they show. */
const SOCKET_MODE = 0o666;
/** How long a round of secrets waits for a pod to say that it has them. */
const SECRETS_MS = 1000;

export function createNodeEngine(options: NodeEngineOptions): NodeEngine {
  const { log, reviewer, nodeName, socket } = options;
  const since = Date.now();
  const served = new Map<string, Served>();
  /** Of each proxy; they may come before it. */
  const secrets = new Map<string, readonly SecretJson[]>();
  const taken = new Set<(id: string, version: string) => void>();
  const refusals = new Set<(id: string, problems: readonly Problem[]) => void>();
  const statuses = new Set<(status: EngineStatus) => void>();
  const pods = createNodePods({ nodeName, asked: options.asked, forgotten: (uid) => reviewer.forget(uid) });
  let xds: XdsServer | undefined;
  let state: EngineStatus['state'] = 'starting';

  const status = (): EngineStatus => ({
    engine: 'pods',
    engineVersion: options.version,
    state,
    pid: undefined,
    since,
    restarts: 0,
    lastExit: undefined,
    adopted: false,
    processes: [],
  });

  function running(): XdsServer {
    if (xds && state === 'running') return xds;
    throw new FairleadError('E_ENGINE_FAILED', `the pods of ${nodeName} are not served (${state})`);
  }

  async function admit(nodeId: string, call: XdsCall): Promise<Admission> {
    const token = bearerOf(call);
    if (token === undefined) return { refused: 'the call shows no token (authorization: Bearer …)', code: UNAUTHENTICATED };
    const caller = await reviewer.review(token);
    if ('refused' in caller) return told(caller);
    const name = `${caller.namespace}/${caller.pod}`;
    const proxy = await pods.proxyOf(caller);
    if (typeof proxy !== 'string') return told(proxy, name);
    // An Envoy names its proxy in full.
    if (nodeId.includes('~') && nodeId !== proxy)
      return told(denied(`the pod ${name} may have the configuration of its own proxy (${proxy}), not that of ${nodeId}`), name);
    const refused = pods.add(caller, call);
    return refused ? told(refused, name) : { proxy };
  }

  function told<T extends { refused: string }>(refusal: T, pod?: string): T {
    log.warning('a pod is not served', { ...(pod ? { pod } : {}), why: refusal.refused });
    return refusal;
  }

  function settled(id: string, result: ApplyResult): void {
    const entry = served.get(id);
    if (entry === undefined) return;
    entry.late = false;
    const problems = result.applied ? [] : result.problems.filter(isOfConfig);
    if (problems.length === 0) {
      entry.refusal = undefined;
      entry.taken = result.version;
      for (const l of taken) l(id, result.version);
      return;
    }
    entry.refusal = { version: result.version, at: Date.now(), problems };
    for (const l of refusals) l(id, problems);
  }

  const isConnected = (id: string): boolean => xds?.clients().some((c) => c.node === id) === true;

  /** Sent, or refused before for itself. What could not be bound is tried again. */
  function send(snapshot: Snapshot, give: (server: XdsServer) => void): ApplyResult {
    const { version, proxy } = snapshot;
    const server = running();
    const entry = served.get(proxy.id);
    if (entry?.refusal?.version === version) {
      if (entry.refusal.problems.some(({ rule }) => rule.startsWith('listener/'))) server.retry(proxy.id);
      return { applied: false, version, problems: entry.refusal.problems };
    }
    if (entry) Object.assign(entry, { snapshot, refusal: undefined });
    else served.set(proxy.id, { snapshot, taken: undefined, refusal: undefined, late: false });
    give(server);
    pods.made(proxy);
    return { applied: true, version, later: true };
  }

  async function end(): Promise<void> {
    state = 'stopped';
    await xds?.close();
  }

  return {
    choose: (mesh) => pods.choose(mesh),
    async start() {
      const { startXdsServer } = await import('../xds/server.ts');
      xds = await startXdsServer({
        socket,
        mode: SOCKET_MODE,
        admit,
        onSettled: settled,
        who: 'the proxy',
        log: { ...log, warning: log.debug },
      });
      if (state !== 'starting') return void (await xds.close());
      state = 'running';
      for (const l of statuses) l(status());
    },
    leftovers: () => [],
    async apply(snapshot) {
      const { id } = snapshot.proxy;
      const known = secrets.get(id);
      return send(snapshot, (server) => {
        if (known && !served.get(id)?.taken) server.setSecrets(id, known);
        server.set(snapshot, options.about(snapshot.proxy));
      });
    },
    async applyEndpoints(id, version, endpoints) {
      const entry = served.get(id);
      if (!entry) throw new FairleadError('E_ENGINE_FAILED', 'endpoints came for a proxy that has nothing');
      return send({ ...entry.snapshot, version, endpoints }, (server) => server.setEndpoints(id, version, endpoints));
    },
    async applySecrets(id, list) {
      secrets.set(id, list);
      const server = running();
      server.setSecrets(id, list);
      const entry = served.get(id);
      if (!entry) return;
      const pod = `the pod ${entry.snapshot.proxy.namespace}/${entry.snapshot.proxy.name}`;
      if (!isConnected(id)) throw new FairleadError('E_ENGINE_FAILED', `${pod} is not connected: it gets its secrets when it is`);
      if (entry.late) throw new FairleadError('E_ENGINE_FAILED', `${pod} does not answer`);
      entry.late = true;
      const result = await server.settled(id, entry.snapshot.version, SECRETS_MS);
      entry.late = false;
      const refused = result.applied ? [] : result.problems.filter((p) => p.origin?.startsWith('secret'));
      if (refused.length > 0) throw new FairleadError('E_ENGINE_FAILED', refused.map(({ message }) => message).join('; '));
    },
    async remove(id) {
      served.delete(id);
      secrets.delete(id);
      xds?.remove(id);
      pods.gone(id);
    },
    async admin(id) {
      const proxy = served.get(id)?.snapshot.proxy;
      throw new FairleadError('E_PROXY_ELSEWHERE', `the proxy ${proxy ? `${proxy.name}.${proxy.namespace}` : id} runs in its own pod`, {
        next: proxy ? `Ask the agent there: fairlead proxy-config all ${proxy.name}.${proxy.namespace} -k` : 'Ask the agent in that pod.',
      });
    },
    onRecord: () => () => undefined,
    onStatus(listener) {
      statuses.add(listener);
      return () => statuses.delete(listener);
    },
    onRefused(listener) {
      refusals.add(listener);
      return () => refusals.delete(listener);
    },
    onTaken(listener) {
      taken.add(listener);
      return () => taken.delete(listener);
    },
    connected: isConnected,
    status,
    sync(id) {
      const entry = served.get(id);
      const clients = xds?.clients().filter((c) => c.node === id && !c.proxyless) ?? [];
      return entry && typeSyncs(clients, entry.refusal, entry.taken === entry.snapshot.version, entry.snapshot);
    },
    async refresh() {
      if (state === 'running') for (const [id, { snapshot }] of served) xds?.setAbout(id, options.about(snapshot.proxy));
    },
    // The pods run on, whatever becomes of this process.
    drain: () => Promise.resolve(),
    stop: end,
    detach: end,
  };
}

const isOfConfig = ({ origin }: Problem): boolean => !/^(?:secret|about)\b/.test(origin ?? '');

function bearerOf(call: XdsCall): string | undefined {
  const [value] = call.metadata.get('authorization');
  return typeof value === 'string' ? /^Bearer ([\w.~+/=-]+)$/i.exec(value)?.[1] : undefined;
}
