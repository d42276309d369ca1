/**
 * The xDS server: it gives Envoy, and any other client of the protocol, the configuration of its node. State of the world and incremental,
 * aggregated and by type; see Envoy's "xDS REST and gRPC protocol".
 */
import type { PeerCertificate } from 'node:tls';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { loadEncode } from '../../src/envoy/encode.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { FairleadError } from '../../src/errors.ts';
import type { ApplyResult } from '../engine.ts';
import type { Log } from '../log.ts';
import { clientOf, type XdsClient } from './clients.ts';
import { type Desired, desiredOf, withSet } from './desired.ts';
import { createGrpcServer } from './grpc-server.ts';
import { newProxyState, type ProxyState } from './proxy-state.ts';
import { refusalsOf } from './refusals.ts';
import { PERMISSION_DENIED } from './refuse-call.ts';
import { RESOURCE_TYPES } from './resource-types.ts';
import { type Admission, discoveryServices } from './services.ts';
import { createStream, type XdsCall, type XdsStream } from './stream.ts';

export interface XdsServerOptions {
  /** A Unix socket, mode 0600 unless it is said. One that nobody serves any more is replaced. */
  socket: string;
  mode?: number;
  /** Whose configuration a client on the socket gets. Without it whoever can open the socket gets that of the node it names. Never rejects. */
  admit?(nodeId: string, call: XdsCall): Promise<Admission>;
  /** Told whenever the clients of a node have taken or refused all that it is to have. */
  onSettled?(proxyId: string, result: ApplyResult): void;
  /** What refuses, for messages; `Envoy` unless it is said. */
  who?: string;
  /** For proxies on other hosts: both sides show certificates of `ca`. All in PEM. */
  tcp?: {
    host: string;
    port: number;
    tls: { key: string; cert: string; ca: string };
    /** Whether who shows this certificate may have that node's configuration and secrets. Without it every certificate of `ca` may have every node's. */
    mayHave?(nodeId: string, certificate: PeerCertificate): boolean;
  };
  log: Log;
  /** Further gRPC services on the same sockets, as Envoy's access log service. */
  services?: readonly { definition: ServiceDefinition; implementation: UntypedServiceImplementation }[];
}

/** Something happened to a client. */
export interface XdsEvent {
  event: 'connect' | 'disconnect' | 'ack' | 'nack';
  client: XdsClient;
  /** Of an ACK or a NACK. */
  typeUrl?: string;
}

export interface XdsServer {
  /** The port of `tcp`. */
  readonly port: number | undefined;
  /** What the node with the id `snapshot.proxy.id` is to have. */
  set(snapshot: Snapshot, about?: readonly object[]): void;
  /** What agents of ours are told besides changed: Structs with a `name`. The proxy must have been `set`. */
  setAbout(proxyId: string, about: readonly object[]): void;
  /** Only endpoints changed: all load assignments of the proxy. It must have been `set`. */
  setEndpoints(proxyId: string, version: string, endpoints: readonly ClusterLoadAssignmentJson[]): void;
  /** Only secrets changed: all of the proxy. They stay when the rest is set, and may come before it. */
  setSecrets(proxyId: string, secrets: readonly SecretJson[]): void;
  /** Clients of the node keep what they have, and get nothing any more. */
  remove(proxyId: string): void;
  /** Sends again what was refused: the reason may be gone, as when a port was in use. */
  retry(proxyId: string): void;
  /**
   * Waits until the clients of a node have taken or refused what it is to have. A refusal is told with the client's reason and the name of each
   * resource. When the wanted state changes meanwhile, this is about the newer one. Throws E_ENGINE_FAILED at the deadline.
   */
  settled(proxyId: string, version: string, deadlineMs: number): Promise<ApplyResult>;
  clients(): readonly XdsClient[];
  /** Returns the function that ends it. */
  onClient(listener: (event: XdsEvent) => void): () => void;
  /** Ends all streams; clients keep what they have. */
  close(): Promise<void>;
}

/** Starts serving. Throws E_ENGINE_FAILED when a socket cannot be had. */
export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const { log } = options;
  const encode = await loadEncode();
  const proxies = new Map<string, ProxyState>();
  const listeners = new Set<(event: XdsEvent) => void>();
  const waiting = new Set<() => void>();

  const stateOf = (id: string): ProxyState => {
    let state = proxies.get(id);
    if (state === undefined) {
      state = newProxyState(id, encode);
      proxies.set(id, state);
    }
    return state;
  };
  const tell = (event: XdsEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const changed = (): void => {
    for (const look of waiting) look();
  };

  function want(id: string, desired: Desired | undefined): void {
    const state = stateOf(id);
    state.desired = desired;
    for (const stream of state.streams) stream.wake();
    if (desired === undefined && state.streams.size === 0) proxies.delete(id);
    changed();
  }

  const services = discoveryServices({
    admit: (id, call) => {
      const { sslPeerCertificate } = call.getAuthContext();
      if (sslPeerCertificate === undefined) return options.admit?.(id, call) ?? { proxy: id };
      if (options.tcp?.mayHave?.(id, sslPeerCertificate) ?? true) return { proxy: id };
      return { refused: `the certificate is not that of ${id}`, code: PERMISSION_DENIED };
    },
    open: (protocol, call, { id, proxyless, agent }, only) => {
      const proxy = stateOf(id);
      const stream = createStream({
        protocol,
        call,
        proxy,
        proxyless,
        agent,
        only,
        events: {
          answered: (s, sub, answer) => {
            if (answer === 'nack' && sub.nack)
              log.warning('xDS: refused', { proxy: proxy.id, type: sub.url, resources: sub.nack.resources, reason: sub.nack.reason });
            tell({ event: answer, client: clientOf(s), typeUrl: sub.url });
          },
          idle: () => {
            changed();
            if (options.onSettled && isSettled(proxy)) options.onSettled(proxy.id, resultOf(proxy, proxy.desired?.version ?? ''));
          },
        },
      });
      proxy.streams.add(stream);
      log.debug('xDS: connected', { proxy: id, peer: stream.peer, protocol });
      tell({ event: 'connect', client: clientOf(stream) });
      return stream;
    },
    closed: (stream) => {
      const { proxy } = stream;
      proxy.streams.delete(stream);
      if (proxy.desired === undefined && proxy.secrets === undefined && proxy.streams.size === 0) proxies.delete(proxy.id);
      log.debug('xDS: disconnected', { proxy: proxy.id, peer: stream.peer });
      tell({ event: 'disconnect', client: clientOf(stream) });
      changed();
    },
  });
  const resultOf = ({ streams }: ProxyState, version: string): ApplyResult => {
    const problems = refusalsOf(envoysOf(streams), options.who);
    return problems.length === 0 ? { applied: true, version } : { applied: false, version, problems };
  };
  const server = await createGrpcServer({ ...options, services: [...services, ...(options.services ?? [])] });

  return {
    port: server.port,
    set(snapshot, about) {
      const { id } = snapshot.proxy;
      const state = stateOf(id);
      if (about !== undefined) state.about = about;
      want(id, desiredOf(snapshot, state, encode));
    },
    setAbout(id, about) {
      const state = stateOf(id);
      state.about = about;
      if (state.desired) want(id, withSet(state.desired, state.desired.version, 'about', about, encode));
    },
    setEndpoints(id, version, endpoints) {
      const before = stateOf(id).desired;
      if (before) want(id, withSet(before, version, 'endpoint', endpoints, encode));
    },
    setSecrets(id, secrets) {
      const state = stateOf(id);
      state.secrets = secrets;
      if (state.desired) want(id, withSet(state.desired, state.desired.version, 'secret', secrets, encode));
    },
    remove(id) {
      Object.assign(stateOf(id), { secrets: undefined, about: undefined });
      want(id, undefined);
    },
    retry(id) {
      for (const stream of proxies.get(id)?.streams ?? []) {
        for (const sub of stream.subscriptions.values()) {
          sub.refused.clear();
          sub.heldFor = undefined;
          sub.cleanFor = undefined;
        }
        stream.wake();
      }
    },
    settled(id, version, deadlineMs) {
      return new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const timer = setTimeout(() => {
          end();
          reject(unsettled(proxies.get(id), id, deadlineMs));
        }, deadlineMs);
        const look = (): void => {
          const state = proxies.get(id);
          if (state === undefined || !isSettled(state)) return;
          end();
          resolve(resultOf(state, version));
        };
        waiting.add(look);
        look();
      });
    },
    clients: () => [...proxies.values()].flatMap((p) => [...p.streams].map(clientOf)),
    onClient(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => server.close(),
  };
}

/** Some stream asked for clusters, some for listeners, and all have what they asked for. */
function isSettled({ streams, desired }: ProxyState): boolean {
  const all = envoysOf(streams);
  const answered = (url: string): boolean => all.some((s) => s.subscriptions.has(url));
  return desired !== undefined && all.every((s) => s.idle) && answered(RESOURCE_TYPES.cluster.url) && answered(RESOURCE_TYPES.listener.url);
}

/** gRPC clients without a proxy ask for what they dial; nobody waits for them. */
function envoysOf(streams: Iterable<XdsStream>): XdsStream[] {
  return [...streams].filter((s) => !s.proxyless);
}

function unsettled(state: ProxyState | undefined, id: string, deadlineMs: number): FairleadError {
  const late = [...(state?.streams ?? [])].flatMap((s) => [...s.subscriptions.values()].filter((sub) => sub.inFlight));
  const why =
    state === undefined || state.streams.size === 0
      ? 'it is not connected'
      : late.length > 0
        ? `it has not answered for ${late.map((s) => s.type?.kind ?? s.url).join(', ')}`
        : 'it has not asked for all of it';
  return new FairleadError('E_ENGINE_FAILED', `Envoy of ${id} did not take its configuration within ${deadlineMs / 1000} s: ${why}`);
}
