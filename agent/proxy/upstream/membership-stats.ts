import type { ClusterStats, Counter } from '../types.ts';
import type { UpstreamHost } from './host.ts';

/** What a cluster's hosts and their discovery show. */
export interface MembershipStats {
  attempt: Counter;
  success: Counter;
  failure: Counter;
  change: Counter;
  noRebuild: Counter;
  /** Counts the hosts by their health. */
  show(hosts: Iterable<UpstreamHost>): void;
}

export function createMembershipStats(stats: ClusterStats): MembershipStats {
  const total = stats.gauge('membership_total');
  const healthy = stats.gauge('membership_healthy');
  const degraded = stats.gauge('membership_degraded');
  const excluded = stats.gauge('membership_excluded');
  return {
    attempt: stats.counter('update_attempt'),
    success: stats.counter('update_success'),
    failure: stats.counter('update_failure'),
    change: stats.counter('membership_change'),
    noRebuild: stats.counter('update_no_rebuild'),
    show(hosts) {
      let all = 0;
      const by = { healthy: 0, degraded: 0, unhealthy: 0 };
      let out = 0;
      for (const host of hosts) {
        all++;
        by[host.health]++;
        if (host.excluded) out++;
      }
      total.set(all);
      healthy.set(by.healthy);
      degraded.set(by.degraded);
      excluded.set(out);
    },
  };
}
