import type { Static } from 'typebox';
import { boolean, choice, double, duration, integer, list, message, string } from '../schema.ts';
import { LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting } from './locality-load-balancing.ts';

const uint64 = (description: string, options?: { deprecated: true }) => integer(description, { minimum: 0, ...options });

export const HTTPCookie = message(
  'A cookie that keeps a client with its endpoint.',
  {
    name: string('Its name.'),
    path: string('Its path.'),
    ttl: duration('How long a generated cookie lives; 0s: until the browser closes. Without it no cookie is generated.', { zero: true }),
    attributes: list(
      message(
        'An attribute of a generated cookie.',
        { name: string('Its name, such as `SameSite`.'), value: string('Its value.') },
        { required: ['name'] },
      ),
      'Further attributes of a generated cookie.',
    ),
  },
  { required: ['name'] },
);

export const ConsistentHashLB = message(
  'Sends the same client to the same endpoint as long as endpoints stay the same. One of the first four fields says what makes a client.',
  {
    httpHeaderName: string('By the value of this header.'),
    httpCookie: HTTPCookie,
    useSourceIp: boolean('By the IP address of the client; for TCP as well.'),
    httpQueryParameterName: string('By the value of this query parameter.'),
    ringHash: message('Ring hash, the default.', {
      minimumRingSize: uint64('Fewest points on the ring; more spread requests more evenly. Default: 1024.'),
    }),
    maglev: message('Maglev: faster, moves a few more clients when endpoints change.', {
      tableSize: uint64('Size of the table: a prime up to 5000011. Default: 65537.'),
    }),
    minimumRingSize: uint64('Use `ringHash.minimumRingSize`.', { deprecated: true }),
  },
  {
    oneOf: [
      ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'],
      ['ringHash', 'maglev'],
    ],
  },
);

export const WarmupConfiguration = message(
  'New endpoints get their share step by step. ROUND_ROBIN and LEAST_REQUEST only.',
  {
    duration: duration('How long that takes.'),
    minimumPercent: double('The share that an endpoint begins with, in percent of its full one. Default: 10.', {
      minimum: 0,
      maximum: 100,
    }),
    aggression: double('How the share grows: 1 evenly, above 1 faster at first. Default: 1.', { minimum: 0 }),
  },
  { required: ['duration'] },
);

export const LoadBalancerSettings = message(
  'How an endpoint is chosen.',
  {
    simple: choice(
      ['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'],
      'LEAST_REQUEST (as UNSPECIFIED, the default): the one of two random endpoints with fewer requests under way. ROUND_ROBIN, RANDOM: as named. PASSTHROUGH: the address that the client asked for. LEAST_CONN: the old name of LEAST_REQUEST.',
      { deprecatedValues: ['LEAST_CONN'] },
    ),
    consistentHash: ConsistentHashLB,
    localityLbSetting: LocalityLoadBalancerSetting,
    zoneAwareLbSetting: ZoneAwareLoadBalancerSetting,
    warmupDurationSecs: duration('How long new endpoints take to get their full share. Use `warmup`.', { deprecated: true }),
    warmup: WarmupConfiguration,
  },
  {
    oneOf: [
      ['simple', 'consistentHash'],
      ['warmupDurationSecs', 'warmup'],
    ],
  },
);

export type ConsistentHashLB = Static<typeof ConsistentHashLB>;
export type WarmupConfiguration = Static<typeof WarmupConfiguration>;
export type LoadBalancerSettings = Static<typeof LoadBalancerSettings>;
