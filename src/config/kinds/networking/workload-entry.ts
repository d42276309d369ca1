import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { integer, map, message, string, stringMap, uint32 } from '../schema.ts';

export const WorkloadEntry = message('A workload outside of Kubernetes, such as a virtual machine or a process on this machine.', {
  address: string('IP address, host name (only for DNS services), or `unix:///path`. Needed unless `network` is given.', {
    maxLength: 256,
  }),
  ports: map(
    integer('Port number.', { minimum: 1, maximum: 65535 }),
    "Where it listens, by the port's name in the service. Default: the service's target port.",
    {
      maxProperties: 128,
      propertyNames: { pattern: '^[a-zA-Z0-9]([-a-zA-Z0-9]{0,60}[a-zA-Z0-9])?$' },
    },
  ),
  labels: stringMap('Labels that services select it by.', { maxProperties: 256 }),
  network: string('Name of its network. Endpoints of one network reach each other directly. Default: the one of the mesh.', {
    maxLength: 2048,
  }),
  locality: string('Where it is: `region/zone/subzone`.', { maxLength: 2048 }),
  weight: uint32('Its share of requests, relative to other endpoints. Default: 1.'),
  serviceAccount: string('Service account that it runs as, in its own namespace: its identity.', { maxLength: 253 }),
});

export type WorkloadEntry = Static<typeof WorkloadEntry>;

export const workloadEntry = defineKind({
  kind: 'WorkloadEntry',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'workloadentries',
  shortNames: ['we'],
  scope: 'Namespaced',
  description: 'Describes one workload outside of Kubernetes: address, ports, labels and identity.',
  payload: 'spec',
  schema: WorkloadEntry,
  unknownFields: 'refuse',
});
