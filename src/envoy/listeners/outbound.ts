import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { isIp } from '../../mesh/addresses.ts';
import { problemAt } from '../../mesh/problem.ts';
import { isHttp, isSniRouted } from '../../mesh/protocol.ts';
import type { EgressListenerView, Protocol, Service, ServicePort, VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { HTTP_PROXY_ROUTE, listenerName, sniffedRouteName } from '../names.ts';
import type { RouteRequest } from '../routes/outbound.ts';
import { isUnixBind, LOCALHOST, unixPath, WILDCARD } from './address.ts';
import { assembleListener } from './assemble.ts';
import { type Addition, addToEntry, type ListenerEntry } from './entry.ts';
import { isWildcardBind, virtualAddresses, wildcards } from './families.ts';
import { headlessEndpoints } from './headless.ts';
import { httpProxyListener } from './http-proxy.ts';
import { aboutHost, type Layer4Port, layer4VirtualServices } from './layer4.ts';
import { outboundHttpChain } from './outbound-http.ts';
import { tcpChains } from './outbound-tcp.ts';
import { tlsChains } from './tls.ts';
import { virtualOutbound } from './virtual-outbound.ts';

/** A sidecar's outbound listeners, and the route configurations that they ask for. */
export interface OutboundListeners {
  listeners: ListenerJson[];
  requests: RouteRequest[];
}

interface Build {
  context: BuildContext;
  egress: EgressListenerView;
  layer4: readonly VirtualServiceView[];
  entries: Map<string, ListenerEntry>;
  requests: Map<string, RouteRequest>;
}

/** One service on one listener. */
interface Slot {
  service: Service;
  port: number;
  protocol: Protocol;
  bind: string;
  /** Other addresses for the same. */
  more?: readonly string[];
  bindToPort: boolean;
  cidr?: string;
  ownAddress: boolean;
}

function routeOf(build: Build, { service, port, protocol, bind, bindToPort }: Slot): string {
  const { egress } = build;
  const sniffed = protocol === 'detected' && !isWildcardBind(bind) && egress.port === undefined;
  const name = isUnixBind(bind) ? unixPath(bind) : sniffed ? sniffedRouteName(service.host, port) : String(port);
  if (!build.requests.has(name)) {
    const allPorts = isUnixBind(bind) || protocol === 'HTTP_PROXY';
    const bound = bindToPort && !isUnixBind(bind);
    build.requests.set(name, {
      name,
      egress,
      port: allPorts ? 0 : port,
      ...(sniffed && { only: service.host }),
      ...(bound && { bound: { address: bind, port } }),
    });
  }
  return name;
}

function add(build: Build, slot: Slot): void {
  const { service, port, protocol, bind, more = [], bindToPort, cidr, ownAddress } = slot;
  const { context, entries } = build;
  const name = isUnixBind(bind) ? unixPath(bind) : listenerName(bind, port);
  let entry = entries.get(name);
  const kind = isHttp(protocol) ? 'http' : protocol === 'detected' ? 'detected' : 'tcp';
  if (service.resolution === 'dynamic-dns' && kind !== 'http') {
    const message = `${service.host} is looked up by the Host header alone, which ${protocol} on port ${port} does not have; the port is left out`;
    context.problems.push(
      problemAt(service.resource, ['spec', 'resolution'], { severity: 'warning', rule: 'unsupported/ServiceEntry.resolution', message }),
    );
    return;
  }
  // Most HTTP services meet a listener that is there already.
  if (entry?.declaredHttp && kind !== 'tcp') return;
  const at: Layer4Port = { service, port, protocol, cidr, ownAddress, virtualServices: aboutHost(build.layer4, service.host) };
  const addition: Addition = {
    kind,
    tcp: kind === 'http' ? [] : isSniRouted(protocol) ? tlsChains(context, at) : tcpChains(context, at),
    exclusive: protocol === 'Mongo' || protocol === 'MySQL',
  };
  if (kind !== 'tcp') addition.http = outboundHttpChain(context, name, routeOf(build, slot), protocol);
  if (entry === undefined) {
    entry = {
      bind,
      more,
      port: isUnixBind(bind) ? 0 : port,
      bindToPort,
      http: undefined,
      declaredHttp: false,
      tcp: [],
      taken: new Set(),
      exclusive: false,
    };
    entries.set(name, entry);
  }
  if (!addToEntry(entry, addition) && kind === 'tcp') conflict(context, slot, name);
}

function conflict({ problems }: BuildContext, { service, port }: Slot, listener: string): void {
  const { path, resource = service.resource } = service.ports.find((p) => p.number === port) ?? { path: ['spec'] };
  problems.push(
    problemAt(resource, path, {
      severity: 'warning',
      rule: 'listener/conflict',
      message: `connections to port ${port} of ${service.host} cannot be told from those of an older service (listener ${listener}); they go there`,
      hint: 'give the service an address of its own',
    }),
  );
}

/** Where a captured service's port is listened for: HTTP shares the wildcard address, the rest has its own where there is one. */
function capturedSlots(context: BuildContext, service: Service, port: ServicePort): Slot[] {
  const base = { service, port: port.number, protocol: port.protocol, bindToPort: false };
  const everywhere = { ...base, ...wildcards(context.proxy), ownAddress: false };
  if (isHttp(port.protocol)) return [everywhere];
  const places = virtualAddresses(context.proxy, service.addresses);
  if (places !== undefined && places.bind !== WILDCARD) {
    if (places.bind.includes('/')) return [{ ...everywhere, cidr: places.bind }];
    return isIp(places.bind) ? [{ ...base, ...places, ownAddress: true }] : [];
  }
  const endpoints = headlessEndpoints(context, service, port);
  if (endpoints === undefined) return [everywhere];
  return endpoints.map((bind) => ({ ...base, bind, ownAddress: true }));
}

/** A Sidecar's egress listener with a port of its own. */
function addExplicit(build: Build, port: NonNullable<EgressListenerView['port']>): void {
  const { egress, context } = build;
  const unix = egress.bind !== undefined && isUnixBind(egress.bind);
  // Nothing captures for a unix socket; and without interception nothing arrives at a listener that does not bind.
  const bindToPort = unix || egress.captureMode === 'NONE' || context.proxy.interception === 'NONE';
  const bind = egress.bind || (bindToPort ? LOCALHOST : undefined);
  const everyPort = unix || port.protocol === 'HTTP_PROXY';
  for (const service of egress.services) {
    if (service.resolution === 'alias') continue;
    const servicePort = service.ports.find((p) => p.number === port.number);
    if (!everyPort && servicePort === undefined) continue;
    const base = { service, port: port.number, protocol: port.protocol, bindToPort };
    if (bind !== undefined) add(build, { ...base, bind, ownAddress: true });
    else for (const slot of capturedSlots(context, service, { ...(servicePort ?? service.ports[0]!), ...port })) add(build, slot);
  }
}

/** The catch-all egress listener: every service and port that no listener of the Sidecar's has taken. */
function addCaptured(build: Build, taken: ReadonlySet<number>): void {
  for (const service of build.egress.services) {
    if (service.resolution === 'alias') continue;
    for (const port of service.ports) {
      if (port.protocol === 'UDP' || taken.has(port.number)) continue;
      for (const slot of capturedSlots(build.context, service, port)) add(build, slot);
    }
  }
}

/** The listeners on which a sidecar's application calls out, in either mode: captured, or bound and asked explicitly. */
export function outboundListeners(context: BuildContext): OutboundListeners {
  const { scope, proxy } = context;
  const entries = new Map<string, ListenerEntry>();
  const requests = new Map<string, RouteRequest>();
  const captures = proxy.interception !== 'NONE';
  const taken = new Set<number>();
  for (const egress of scope.egress) {
    const build: Build = { context, egress, layer4: layer4VirtualServices(egress.virtualServices), entries, requests };
    if (egress.port !== undefined) {
      addExplicit(build, egress.port);
      taken.add(egress.port.number);
    } else if (captures) addCaptured(build, taken);
  }
  const listeners = [...entries.values()].filter((e) => e.http !== undefined || e.tcp.length > 0).map((e) => assembleListener(context, e));
  if (captures) listeners.push(virtualOutbound(context));
  if (proxy.httpProxyPort !== undefined) {
    listeners.push(httpProxyListener(context, proxy.httpProxyPort));
    const egress = scope.egress.find((e) => e.port === undefined) ?? scope.egress[0];
    const bound = { address: LOCALHOST, port: proxy.httpProxyPort };
    if (egress) requests.set(HTTP_PROXY_ROUTE, { name: HTTP_PROXY_ROUTE, egress, port: 0, bound });
  }
  return { listeners, requests: [...requests.values()] };
}
