import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, list, open, string, strings } from '../schema.ts';

export const Node = open('A machine. Its labels tell region and zone.', {
  podCIDR: string('Addresses of its pods.'),
  podCIDRs: strings('Addresses of its pods, one range a family.'),
  providerID: string('Its id at the cloud provider.'),
  unschedulable: boolean('Takes no new pods. Default: false.'),
  taints: list(
    open('A taint.', { key: string('Its key.'), value: string('Its value.'), effect: string('Its effect.') }),
    'What keeps pods away.',
  ),
});

export const NodeStatus = open('State of a machine.', {
  addresses: list(
    open('An address.', { type: string('`InternalIP`, `ExternalIP`, `Hostname`, …'), address: string('The address.') }),
    'Its addresses.',
  ),
  conditions: list(
    open('A condition.', { type: string('Its type, such as `Ready`.'), status: string('`True`, `False` or `Unknown`.') }),
    'Its conditions.',
  ),
});

export type Node = Static<typeof Node>;
export type NodeStatus = Static<typeof NodeStatus>;

export const node = defineKind({
  kind: 'Node',
  group: '',
  versions: ['v1'],
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  description: 'A machine that pods run on; gives them their locality.',
  payload: 'spec',
  schema: Node,
  unknownFields: 'allow',
});
