import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, message, strings } from '../schema.ts';
import { HTTPRoute } from './http-route.ts';
import { TCPRoute, TLSRoute } from './layer4-route.ts';

export const VirtualService = message('How requests to some hosts are routed.', {
  hosts: strings(
    'Hosts that the routes are for: names, wildcards such as `*.example.com`, or addresses. A name without dots belongs to the namespace of the VirtualService. Left out only in a delegate.',
  ),
  gateways: strings('Gateways that use the routes, as `name` or `namespace/name`; `mesh` stands for all sidecars. Default: `mesh`.'),
  http: list(HTTPRoute, 'Rules for HTTP requests. The first one that matches is used.'),
  tls: list(TLSRoute, 'Rules for TLS connections that are not terminated. The first one that matches is used.'),
  tcp: list(TCPRoute, 'Rules for other connections. The first one that matches is used.'),
  exportTo: strings(
    "Namespaces that may use the routes: names, `.` for its own, `*` for all. Default: the mesh's `defaultVirtualServiceExportTo`.",
  ),
});

export type VirtualService = Static<typeof VirtualService>;

export const virtualService = defineKind({
  kind: 'VirtualService',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'virtualservices',
  shortNames: ['vs'],
  scope: 'Namespaced',
  description: 'Routes requests to hosts: matching, splitting, rewriting, retries, timeouts, faults and mirroring.',
  payload: 'spec',
  schema: VirtualService,
  unknownFields: 'refuse',
});
