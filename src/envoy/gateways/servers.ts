import type { Server } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { gatewayListenPort } from '../../mesh/gateways.ts';
import { problemAt } from '../../mesh/problem.ts';
import { isHttp, isSniRouted, parseProtocol } from '../../mesh/protocol.ts';
import type { GatewayView, Protocol } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { gatewayHttpRouteName, gatewayHttpsRouteName } from '../names.ts';
import { endsTls, serverCredentials } from '../tls/server.ts';
import { parseServerHost, type ServerHost } from './hosts.ts';

/** One server of a Gateway that this proxy serves. */
export interface GatewayServer {
  /** `<ns>/<name>`, as VirtualServices name it; see GatewayView.key. */
  gateway: string;
  resource: Resource;
  /** Where it was written. */
  path: FieldPath;
  /** Hosts that nothing is attached for are answered 404 here, whatever other servers have. */
  claimsHosts: boolean;
  server: Server;
  protocol: Protocol;
  hosts: readonly ServerHost[];
  /** Where the proxy listens. */
  port: number;
  bind: string | undefined;
  /** HTTP, or HTTPS that is terminated here. */
  http: boolean;
  /** Has TLS settings beyond a redirect: terminated or passed through. */
  tls: boolean;
  /** HTTP servers: their route configuration. */
  routeName: string | undefined;
}

/** Servers that share an address, in the order in which they were taken in. */
export interface GatewayPort {
  port: number;
  bind: string | undefined;
  servers: GatewayServer[];
}

function readServer(context: BuildContext, view: GatewayView, server: Server, index: number): GatewayServer {
  const { resource } = view;
  const { namespace, name } = resource.metadata;
  const protocol = parseProtocol(server.port.protocol);
  const plainHttp = isHttp(protocol);
  const http = plainHttp || (protocol === 'HTTPS' && server.tls !== undefined && endsTls(server.tls));
  const tls = server.tls !== undefined && !plainHttp;
  const port = gatewayListenPort(context.scope, server.port.number);
  const bind = server.bind || undefined;
  const { number, name: portName } = server.port;
  return {
    gateway: view.key,
    resource,
    path: view.serverPath(index),
    claimsHosts: view.claimsHosts,
    server,
    protocol,
    hosts: (server.hosts ?? []).map((h) => parseServerHost(h, namespace)),
    port,
    bind,
    http,
    tls,
    routeName: plainHttp
      ? gatewayHttpRouteName(port, bind)
      : http
        ? gatewayHttpsRouteName(number, portName, name, namespace, bind)
        : undefined,
  };
}

/** What a server lacks that is to speak TLS. Leaving it out keeps it closed. */
function lackOf(entry: GatewayServer): string | undefined {
  const { server, tls, protocol } = entry;
  if (!tls) return isSniRouted(protocol) ? `protocol ${protocol} needs \`tls\` settings` : undefined;
  if (!endsTls(server.tls!)) return undefined;
  const credentials = serverCredentials(server.tls!);
  return 'missing' in credentials ? credentials.missing : undefined;
}

/** Why a server cannot join those that are there; undefined when it can. Istio's rules: HTTP with HTTP, TLS with TLS, nothing else. */
function conflict(there: GatewayPort | undefined, entry: GatewayServer, tlsHosts: ReadonlySet<string>): string | undefined {
  if (entry.server.tls !== undefined) {
    const taken = entry.hosts.find((h) => tlsHosts.has(hostKey(entry, h)));
    if (taken) return `another server with TLS settings has host ${taken.host} on port ${entry.server.port.number}`;
  }
  const first = there?.servers[0];
  if (first === undefined) return undefined;
  const plainHttp = (s: GatewayServer): boolean => s.http && !s.tls;
  if (plainHttp(first) && plainHttp(entry)) return undefined;
  if (first.tls && entry.tls) {
    if (entry.http && there!.servers.some((s) => s.routeName === entry.routeName))
      return `another server has the port name ${entry.server.port.name}`;
    return undefined;
  }
  return `port ${entry.server.port.number} is ${first.server.port.protocol} in Gateway ${first.gateway}`;
}

function hostKey(entry: GatewayServer, host: ServerHost): string {
  return `${entry.port} ${entry.bind ?? ''} ${host.host}`;
}

/** The servers of all Gateways that select this proxy, by address, oldest Gateway first. What cannot be served is reported. */
export function gatewayPorts(context: BuildContext): GatewayPort[] {
  const ports = new Map<string, GatewayPort>();
  const tlsHosts = new Set<string>();
  for (const view of context.scope.gateways) {
    const { resource } = view;
    for (const [i, server] of (view.spec.servers ?? []).entries()) {
      const entry = readServer(context, view, server, i);
      const { path } = entry;
      const lack = lackOf(entry);
      if (lack !== undefined) {
        const message = `${lack}; the server is left out`;
        context.problems.push(problemAt(resource, [...path, 'tls'], { severity: 'warning', rule: 'gateway/tls', message }));
        continue;
      }
      const key = `${entry.port} ${entry.bind ?? ''}`;
      const there = ports.get(key);
      const why = conflict(there, entry, tlsHosts);
      if (why !== undefined) {
        const message = `${why}; the server is left out`;
        context.problems.push(problemAt(resource, path, { severity: 'warning', rule: 'gateway/conflict', message }));
        continue;
      }
      if (server.tls !== undefined) for (const host of entry.hosts) tlsHosts.add(hostKey(entry, host));
      if (there === undefined) ports.set(key, { port: entry.port, bind: entry.bind, servers: [entry] });
      else there.servers.push(entry);
    }
  }
  return [...ports.values()];
}
