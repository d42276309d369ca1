/** One Envoy's admin API, on its Unix socket. */
import { exchange, type HttpAnswer, type HttpTarget, httpTarget } from '../http-client.ts';

export interface ServerInfo {
  nodeId: string;
  version: string;
  epoch: number;
  hotRestartVersion: string;
}

export interface EnvoyAdmin {
  /** Rejects with the socket's own error. */
  send(method: string, path: string, timeoutMs?: number): Promise<HttpAnswer>;
  /** Undefined while nobody answers. */
  serverInfo(): Promise<ServerInfo | undefined>;
  /** Addresses that it listens on for proxies, as `127.0.0.1:80`; undefined when it does not say. */
  listening(): Promise<Set<string> | undefined>;
  /** Counters and gauges whose name the regex (RE2) finds something in. */
  stats(regex: string): Promise<ReadonlyMap<string, number>>;
}

const ASK_MS = 2000;

export function envoyAdmin(socket: string): EnvoyAdmin {
  const target = httpTarget(`unix:${socket}`) as HttpTarget;
  async function json<T>(path: string): Promise<T | undefined> {
    try {
      const { status, body } = await exchange(target, 'GET', path, undefined, ASK_MS);
      return status === 200 ? (JSON.parse(body.toString('utf8')) as T) : undefined;
    } catch {
      return undefined;
    }
  }
  return {
    send: (method, path, timeoutMs) => exchange(target, method, path, undefined, timeoutMs),
    async serverInfo() {
      const info = await json<InfoJson>('/server_info');
      if (!info) return undefined;
      const { node, version = '', command_line_options: options, hot_restart_version = '' } = info;
      return {
        nodeId: node?.id ?? '',
        version: version.split('/')[1] ?? version,
        epoch: options?.restart_epoch ?? 0,
        hotRestartVersion: hot_restart_version,
      };
    },
    async listening() {
      const found = await json<ListenersJson>('/listeners?format=json');
      return found && new Set(found.listener_statuses?.flatMap(addressesOf) ?? []);
    },
    async stats(regex) {
      const found = await json<StatsJson>(`/stats?format=json&filter=${encodeURIComponent(regex)}`);
      return new Map(found?.stats.flatMap(({ name, value }) => (name !== undefined && typeof value === 'number' ? [[name, value]] : [])));
    },
  };
}

interface InfoJson {
  version?: string;
  hot_restart_version?: string;
  node?: { id?: string };
  command_line_options?: { restart_epoch?: number };
}

interface AddressJson {
  socket_address?: { address: string; port_value: number };
}

interface ListenersJson {
  listener_statuses?: { local_address?: AddressJson; additional_local_addresses?: AddressJson[] }[];
}

interface StatsJson {
  stats: { name?: string; value?: unknown }[];
}

function addressesOf(status: NonNullable<ListenersJson['listener_statuses']>[number]): string[] {
  return [status.local_address, ...(status.additional_local_addresses ?? [])].flatMap((a) =>
    a?.socket_address ? [`${a.socket_address.address}:${a.socket_address.port_value}`] : [],
  );
}
