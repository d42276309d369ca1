import type { Static } from 'typebox';
import { as, choice, double, duration, list, message, port, string, uint32 } from '../schema.ts';
import { ClientTLSSettings } from './client-tls.ts';
import { ConnectionPoolSettings } from './connection-pool.ts';
import { PortSelector } from './destination.ts';
import { LoadBalancerSettings } from './load-balancer.ts';
import { OutlierDetection } from './outlier-detection.ts';

const policies = {
  loadBalancer: LoadBalancerSettings,
  connectionPool: ConnectionPoolSettings,
  outlierDetection: OutlierDetection,
  tls: as(ClientTLSSettings, 'How connections to the service are secured. Default: mesh TLS where both sides can.'),
};

export const PortTrafficPolicy = message(
  'Settings for one port. They replace those for all ports: what is left out here goes back to its default.',
  { port: as(PortSelector, 'The port of the service.'), ...policies },
);

export const TunnelSettings = message(
  'Carries TCP connections inside HTTP requests. For TCP and TLS routes.',
  {
    protocol: string('`CONNECT` (the default) or `POST`.'),
    targetHost: string('Host that the tunnel leads to: a full name or an IP address.'),
    targetPort: port('Port that the tunnel leads to.'),
  },
  { required: ['targetHost', 'targetPort'] },
);

export const ProxyProtocol = message('Tells the service the address of the client by the PROXY protocol.', {
  version: choice(['V1', 'V2'], 'V1: as text, the default. V2: binary.'),
});

export const RetryBudget = message('Limits retries by the requests under way, in place of `maxRetries`.', {
  percent: double('Retries at once, in percent of the requests under way. Default: 20.', { minimum: 0, maximum: 100 }),
  minRetryConcurrency: uint32('Retries at once that are always allowed. Default: 3.'),
  budgetInterval: duration('Time over which requests are counted; 0s: those under way only, the default.', { zero: true }),
});

export const TrafficPolicy = message('How a service is called.', {
  ...policies,
  portLevelSettings: list(PortTrafficPolicy, 'Settings for single ports.', { maxItems: 4096 }),
  tunnel: TunnelSettings,
  proxyProtocol: ProxyProtocol,
  retryBudget: RetryBudget,
});

export type PortTrafficPolicy = Static<typeof PortTrafficPolicy>;
export type TunnelSettings = Static<typeof TunnelSettings>;
export type TrafficPolicy = Static<typeof TrafficPolicy>;
