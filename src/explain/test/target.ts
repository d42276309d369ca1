import type { Destination } from '../types.ts';
import type { Target } from './types.ts';

/** A service by any of its names; `name`, `name.namespace` and `name.namespace.svc` are those of the cluster's own services. */
export function isHost(written: string, service: string): boolean {
  const name = written.toLowerCase().replace(/\.$/, '');
  const full = service.toLowerCase();
  if (name === full) return true;
  return full.startsWith(`${name}.`) && full.split('.')[2] === 'svc' && name.split('.').length <= 3;
}

/** Whether a destination is the one that is meant. */
export function isTarget({ host, subset, port }: Target, to: Pick<Destination, 'service' | 'subset' | 'port'>): boolean {
  if (host !== undefined && (to.service === undefined || !isHost(host, to.service))) return false;
  if (subset !== undefined && subset !== (to.subset ?? '')) return false;
  return port === undefined || port === to.port;
}

/** `reviews:9080 subset v1`, with what was given. */
export function targetText({ host, subset, port }: Target): string {
  const place = `${host ?? 'any service'}${port === undefined ? '' : `:${port}`}`;
  return subset === undefined ? place : subset === '' ? `${place} without a subset` : `${place} subset ${subset}`;
}
