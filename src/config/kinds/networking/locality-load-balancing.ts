import type { Static } from 'typebox';
import { boolean, list, map, message, string, strings, uint32 } from '../schema.ts';

export const LocalityDistribute = message('Where the requests of one locality go.', {
  from: string('Locality of the client: `region/zone/subzone`, shortened, or with `*` at the end.'),
  to: map(
    uint32('Share in percent.', { minimum: 0, maximum: 100 }),
    'Shares by locality, in percent; they add up to 100. Localities not named get nothing.',
  ),
});

export const LocalityFailover = message('Where requests go when the endpoints of a region fail.', {
  from: string('Region of the client.'),
  to: string('Region that takes over first.'),
});

export const failoverPriority = strings(
  'Labels, most important first; endpoints that share more of them with the client, in this order, are used before others. `label=value` compares with that value instead.',
);

export const LocalityLoadBalancerSetting = message('Which localities get requests. Failover acts only together with outlier detection.', {
  distribute: list(LocalityDistribute, 'Fixed shares by locality; not together with `failover`.'),
  failover: list(LocalityFailover, 'Regions that take over; not together with `distribute`.'),
  failoverPriority,
  enabled: boolean("Turns locality load balancing on or off, whatever the mesh says. Default: the mesh's setting."),
});

export const ZoneAwareLoadBalancerSetting = message('Keeps requests within their zone as far as its share of endpoints allows.', {
  enabled: boolean("Turns this on or off, whatever the mesh says. Default: the mesh's setting."),
  failover: list(LocalityFailover, 'Regions that take over.'),
  failoverPriority,
  minClusterSize: uint32('Fewest endpoints of a service for which this acts. Default: 6.', { minimum: 1 }),
});

export type LocalityLoadBalancerSetting = Static<typeof LocalityLoadBalancerSetting>;
export type ZoneAwareLoadBalancerSetting = Static<typeof ZoneAwareLoadBalancerSetting>;
