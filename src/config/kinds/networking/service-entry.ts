import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, choice, integer, list, message, string, strings } from '../schema.ts';
import { LabelsSelector } from '../selector.ts';
import { WorkloadEntry } from './workload-entry.ts';

const portRange = { minimum: 1, maximum: 65535 };

export const ServicePort = message(
  'A port of the service.',
  {
    number: integer('The number that clients use.', portRange),
    protocol: string(
      'What is spoken on it: `HTTP`, `HTTPS`, `GRPC`, `HTTP2`, `MONGO`, `TCP` or `TLS`. TLS and HTTPS are passed on by server name. Default: found out from the first bytes.',
      {
        maxLength: 256,
      },
    ),
    name: string('Its name, unique within the ServiceEntry.', { maxLength: 256 }),
    targetPort: integer('The number that endpoints listen on. Default: `number`.', portRange),
  },
  { required: ['number', 'name'] },
);

export const ServiceEntry = message(
  'A service that the registry does not know by itself.',
  {
    hosts: strings('Names of the service; wildcards such as `*.example.com` with resolution NONE, STATIC or DYNAMIC_DNS.', {
      minItems: 1,
      maxItems: 256,
    }),
    addresses: strings(
      'Virtual IP addresses or CIDRs that clients connect to. CIDRs need resolution NONE or STATIC. Default: any address, told apart by host or port.',
      {
        maxItems: 256,
        items: { maxLength: 64 },
      },
    ),
    ports: list(ServicePort, 'Ports of the service.', { maxItems: 256 }),
    location: choice(
      ['MESH_EXTERNAL', 'MESH_INTERNAL'],
      'MESH_EXTERNAL (the default): outside the mesh, called without mesh TLS. MESH_INTERNAL: part of the mesh.',
    ),
    resolution: choice(
      ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'],
      'How addresses are found. NONE (the default): the one that the client connected to. STATIC: `endpoints` or the selected workloads. DNS: all addresses of the host or the endpoints, resolved now and then. DNS_ROUND_ROBIN: a new connection goes to the first address of the latest answer. DYNAMIC_DNS: the host of each request is resolved, for wildcard hosts.',
    ),
    endpoints: list(WorkloadEntry, 'Where the service runs; not together with `workloadSelector`.', { maxItems: 4096 }),
    workloadSelector: as(
      LabelsSelector,
      'Pods and WorkloadEntries of the same namespace that the service runs on; not together with `endpoints`.',
    ),
    exportTo: strings(
      "Namespaces that see the service: names, `.` for its own, `*` for all, `~` for none. Default: the mesh's `defaultServiceExportTo`.",
    ),
    subjectAltNames: strings("Names of which the server's certificate must carry one."),
  },
  { required: ['hosts'], oneOf: [['workloadSelector', 'endpoints']] },
);

export type ServicePort = Static<typeof ServicePort>;
export type ServiceEntry = Static<typeof ServiceEntry>;

export const serviceEntry = defineKind({
  kind: 'ServiceEntry',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'serviceentries',
  shortNames: ['se'],
  scope: 'Namespaced',
  description: 'Adds a service to the registry: hosts, ports and endpoints, inside the mesh or out.',
  payload: 'spec',
  schema: ServiceEntry,
  unknownFields: 'refuse',
});
