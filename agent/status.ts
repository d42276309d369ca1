/** What `agent status` and `proxy-status` show: a plain object, stable field names. */
import type { Problem } from '../src/errors.ts';
import type { ConfigState, Controller, ProxySync } from './controller.ts';
import type { Engine, EngineStatus, TypeSync } from './engine.ts';
import type { Identity } from './identity/identity.ts';
import type { IdentityStatus } from './identity/identity-status.ts';

export interface ProxyStatus {
  id: string;
  /** `<name>.<namespace>` */
  name: string;
  type: 'sidecar' | 'router';
  /** STARTING: its first config is on the way; NOT SENT: there is no data plane that could take it. */
  sync: 'SYNCED' | 'STALE' | 'ERROR' | 'STARTING' | 'NOT SENT';
  version: string | undefined;
  /** Milliseconds since 1970 of the last change of `sync` or `version`. */
  since: number;
  /** Why the newest config was refused. */
  problems: readonly Problem[];
  /** By type of resource, where the engine tells it. */
  types?: readonly TypeSync[];
  /** Listeners that take connections, as `127.0.0.1:15001`. */
  listening: { name: string; address: string; purpose: 'http-proxy' | 'gateway' | 'egress' | 'inbound' | 'outbound' }[];
  resources: { listeners: number; routes: number; clusters: number; endpoints: number };
}

export interface AgentStatus {
  version: string;
  pid: number;
  engine: EngineStatus;
  /** Why this engine. */
  chosen: string;
  config: ConfigState;
  proxies: ProxyStatus[];
  /** Certificates and other secrets of the proxies. */
  identity: IdentityStatus;
}

export interface StatusParts {
  controller: Controller;
  engine: Engine;
  identity: Pick<Identity, 'status'>;
  version: string;
  chosen: string;
}

export function statusOf({ controller, engine, identity, version, chosen }: StatusParts): AgentStatus {
  const config = controller.config();
  const proxies = controller.proxies().map((p) => {
    const types = engine.sync(p.node.id);
    return { ...proxyStatus(p, config, engine), ...(types ? { types } : {}) };
  });
  return { version, pid: process.pid, engine: engine.status(), chosen, config, proxies, identity: identity.status() };
}

function proxyStatus(sync: ProxySync, config: ConfigState, engine: Engine): ProxyStatus {
  const { node, applied, refused, snapshot } = sync;
  const state = refused ? 'ERROR' : !applied ? unsent(engine, node.id) : isStale(sync, config, engine) ? 'STALE' : 'SYNCED';
  return {
    id: node.id,
    name: `${node.name}.${node.namespace}`,
    type: node.type,
    sync: state,
    version: applied?.version,
    since: refused?.at ?? (state === 'STALE' ? config.at : (applied?.at ?? config.at)),
    problems: refused?.problems ?? [],
    listening: listening(sync),
    resources: {
      listeners: snapshot?.listeners.length ?? 0,
      routes: snapshot?.routes.length ?? 0,
      clusters: snapshot?.clusters.length ?? 0,
      endpoints: snapshot?.endpoints.length ?? 0,
    },
  };
}

/** The newest configuration is refused, or one is on its way to a proxy that runs elsewhere and has not taken it, or is not connected. */
function isStale({ node, applied, sent }: ProxySync, config: ConfigState, engine: Engine): boolean {
  return config.state === 'refused' || (sent !== undefined && sent !== applied?.version) || engine.connected?.(node.id) === false;
}

function unsent(engine: Engine, id: string): ProxyStatus['sync'] {
  const { state } = engine.status();
  if (engine.connected?.(id) === false) return 'NOT SENT';
  return state === 'running' || state === 'starting' ? 'STARTING' : 'NOT SENT';
}

function listening({ snapshot, node }: ProxySync): ProxyStatus['listening'] {
  return (snapshot?.listeners ?? []).flatMap((l) => {
    const socket = l.address?.socketAddress;
    if (l.bindToPort === false || !socket) return [];
    const port = Number(socket.portValue ?? 0);
    const purpose =
      node.type === 'router'
        ? 'gateway'
        : port === node.httpProxyPort
          ? 'http-proxy'
          : l.trafficDirection === 'INBOUND'
            ? 'inbound'
            : node.interception === 'NONE'
              ? 'egress'
              : 'outbound';
    return [{ name: l.name ?? '', address: `${socket.address}:${port}`, purpose }];
  });
}
