import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, choice, list, message, port, string, strings } from '../schema.ts';
import { LabelsSelector } from '../selector.ts';
import { ConnectionPoolSettings } from './connection-pool.ts';
import { Destination } from './destination.ts';
import { ServerTLSSettings } from './server-tls.ts';

export const SidecarPort = message('A port of a listener.', {
  number: port('Its number. 0 with a `bind` to a unix socket.'),
  protocol: string('What is spoken on it: `HTTP`, `HTTPS`, `GRPC`, `HTTP2`, `HTTP_PROXY`, `MONGO`, `TCP` or `TLS`.'),
  name: string('Its name.'),
  targetPort: port('Nothing acts on it.', { deprecated: true }),
});

const captureMode = choice(
  ['DEFAULT', 'IPTABLES', 'NONE'],
  "How traffic gets here. DEFAULT: as the workload's interception mode says. IPTABLES: redirected. NONE: the application connects to the listener itself.",
);

export const IstioIngressListener = message(
  'A port on which the workload receives requests.',
  {
    port: SidecarPort,
    bind: string('IP address that the proxy listens on. Default: the addresses of the workload.'),
    captureMode,
    defaultEndpoint: string(
      'Where requests go on to: `127.0.0.1:PORT`, `[::1]:PORT`, `0.0.0.0:PORT` for the address of the workload, or `unix:///path`. Default: the same port of the workload.',
    ),
    tls: as(ServerTLSSettings, 'TLS of the listener, for clients outside the mesh. Only where mesh TLS is off for the port.'),
    connectionPool: as(ConnectionPoolSettings, 'Limits on connections and requests to the application, before those of a DestinationRule.'),
  },
  { required: ['port'] },
);

export const IstioEgressListener = message(
  'A port on which the application calls other services, or all ports.',
  {
    port: as(SidecarPort, 'The port. Without it the listener is for all ports that no other one names; it comes last then.'),
    bind: string('IP address or `unix://` path to listen on. Default: 127.0.0.1 with captureMode NONE, else as the services say.'),
    captureMode,
    hosts: strings(
      'Services that can be called, as `namespace/host`: namespace `*` any, `.` its own; host may be a wildcard, `*` all. `~namespace/host` leaves services out; `~/*` lets none in.',
    ),
  },
  { required: ['hosts'] },
);

export const OutboundTrafficPolicy = message('What becomes of calls to services that are not known.', {
  mode: choice(['REGISTRY_ONLY', 'ALLOW_ANY'], 'REGISTRY_ONLY: refused. ALLOW_ANY: passed on to the address that was asked for.'),
  egressProxy: as(Destination, 'Service that gets such calls, instead of the address that was asked for. Only with ALLOW_ANY.'),
});

export const Sidecar = message('Which services the proxy of a workload knows, and the ports it listens on.', {
  workloadSelector: as(LabelsSelector, 'Workloads that this is for. Default: all of the namespace that no other Sidecar selects.'),
  ingress: list(IstioIngressListener, 'Ports on which the workload receives requests. Default: those of its services.'),
  egress: list(IstioEgressListener, 'Services that the workload can call. Default: all that are visible to its namespace.'),
  inboundConnectionPool: as(ConnectionPoolSettings, 'Limits on connections and requests to the application, for all its ports.'),
  outboundTrafficPolicy: as(OutboundTrafficPolicy, "What becomes of calls to services that are not known. Default: the mesh's setting."),
});

export type SidecarPort = Static<typeof SidecarPort>;
export type IstioIngressListener = Static<typeof IstioIngressListener>;
export type IstioEgressListener = Static<typeof IstioEgressListener>;
export type OutboundTrafficPolicy = Static<typeof OutboundTrafficPolicy>;
export type Sidecar = Static<typeof Sidecar>;

export const sidecar = defineKind({
  kind: 'Sidecar',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'sidecars',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Narrows what the proxies of workloads know of the mesh, and sets the ports that they listen on.',
  payload: 'spec',
  schema: Sidecar,
  unknownFields: 'refuse',
});
