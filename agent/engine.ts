/**
 * An engine runs proxies. The agent knows engines only through this; the life cycle is written once, here.
 *
 * Order: `start` once, then any number of `applySecrets`, `apply`, `applyEndpoints` and `remove`, then `drain` and `stop`. `start` adopts a
 * data plane that an earlier agent left running. `drain`, `stop` and `detach` are idempotent; `stop` may come while `start` or a drain is
 * under way, and cuts it short. A data plane that ends by itself is started anew and gets again what ran in it. While it is away `apply`
 * and `applyEndpoints` wait a little, then reject with E_ENGINE_FAILED; once the status is `running` again, the caller tries again.
 */
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import type { Problem } from '../src/errors.ts';
import type { RequestRecord } from '../src/telemetry/request-record.ts';

/** `later`: it is on its way to whoever runs it; `onTaken` or `onRefused` tell what becomes of it. */
export type ApplyResult =
  | { applied: true; version: string; later?: true }
  | { applied: false; version: string; problems: readonly Problem[] };

export type EngineState = 'starting' | 'running' | 'backing-off' | 'draining' | 'stopped';

/** One process of the data plane. */
export interface EngineProcess {
  /** `<name>.<namespace>` of the proxy that it runs; undefined: all of the node's. */
  proxy: string | undefined;
  version: string;
  state: EngineState;
  pid: number | undefined;
  /** Milliseconds since 1970. */
  since: number;
  restarts: number;
  /** Why it last ended. */
  lastExit: string | undefined;
  adopted: boolean;
}

/** Of all processes together: the state is that of the one that is worst off, restarts are added up, the last exit is the newest. */
export interface EngineStatus {
  /** `pods`: the proxies run in pods of this node, each with an agent of its own. */
  engine: 'embedded' | 'envoy' | 'pods';
  engineVersion: string;
  state: EngineState;
  /** Of the data plane's process; undefined while there is none, and when there are several. */
  pid: number | undefined;
  /** Milliseconds since 1970. */
  since: number;
  restarts: number;
  /** Why it last ended. */
  lastExit: string | undefined;
  adopted: boolean;
  /** The embedded proxy is one for the node; there is one Envoy for each proxy. */
  processes: readonly EngineProcess[];
}

/** How one proxy stands with one type of xDS resources. */
export interface TypeSync {
  type: 'CDS' | 'EDS' | 'LDS' | 'RDS' | 'SDS';
  state: 'SYNCED' | 'STALE' | 'NACK' | 'NOT SENT';
  /** Milliseconds since 1970. */
  since: number;
  /** What the proxy said of what it refused. */
  reason: string | undefined;
}

export interface Engine {
  start(): Promise<void>;
  /** Replaces one proxy's config as a whole. A refused config leaves the last good one running. */
  apply(snapshot: Snapshot): Promise<ApplyResult>;
  /** Only endpoints changed. */
  applyEndpoints(proxyId: string, version: string, endpoints: readonly ClusterLoadAssignmentJson[]): Promise<ApplyResult>;
  /**
   * All secrets of one proxy, by the names that its listeners and clusters ask for; replaced in place, without a connection lost. May come
   * before the proxy's first `apply`, and is kept for it. A new data plane gets them before its config. Rejects with E_ENGINE_FAILED when
   * the data plane is away or refuses one of them (it then has the old one of that name); they are kept and told again all the same.
   */
  applySecrets(proxyId: string, secrets: readonly SecretJson[]): Promise<void>;
  /** With its secrets. */
  remove(proxyId: string): Promise<void>;
  /** Proxies that an adopted data plane runs and that were neither applied nor removed since. */
  leftovers(): readonly string[];
  /** Envoy's admin API of one proxy: path with query, as in `/clusters?format=json`. */
  admin(proxyId: string, method: string, path: string): Promise<{ status: number; contentType: string; body: Buffer }>;
  /** Finished requests, as they come. Returns the function that ends it. */
  onRecord(listener: (record: RequestRecord) => void): () => void;
  onStatus(listener: (status: EngineStatus) => void): () => void;
  /** Each type's state where the data plane tells it; undefined where config is taken or refused as a whole. */
  sync(proxyId: string): readonly TypeSync[] | undefined;
  /** Who a proxy is, or which program runs it, may have changed: what only a new process takes up is taken up without a gap. */
  refresh(): Promise<void>;
  /** A data plane that was started anew did not take a config that ran before (its port may be taken by now). */
  onRefused(listener: (proxyId: string, problems: readonly Problem[]) => void): () => void;
  /** Engines whose proxies run elsewhere: one has taken the config of that version. */
  onTaken?(listener: (proxyId: string, version: string) => void): () => void;
  /** Engines whose proxies run elsewhere: whether this one can be told something now. */
  connected?(proxyId: string): boolean;
  status(): EngineStatus;
  /** Listeners refuse new connections, requests in flight finish; at most `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends the data plane. */
  stop(): Promise<void>;
  /** Lets go of the data plane without ending it (the agent is about to be replaced). */
  detach(): Promise<void>;
}
