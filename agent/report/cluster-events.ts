import type { ApiClient } from '../../src/kubernetes/client.ts';
import { listObjects } from '../../src/kubernetes/list.ts';
import { json, type ReportItem } from './types.ts';

/** More are not read by anybody; the newest count. */
const MOST = 5000;

interface EventJson {
  metadata?: { namespace?: string; creationTimestamp?: string };
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string };
  deprecatedLastTimestamp?: string | null;
  deprecatedCount?: number;
  regarding?: { kind?: string; namespace?: string; name?: string };
  reason?: string;
  type?: string;
  note?: string;
  reportingController?: string;
}

/** Events of the wanted namespaces, oldest first. https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export function clusterEvents(
  api: ApiClient,
  isWanted: (namespace: string | undefined) => boolean,
  sinceMs: number | undefined,
): ReportItem {
  return {
    path: 'cluster/events.json',
    what: 'events',
    async collect(signal) {
      let found: (Record<string, unknown> & { time: string })[] = [];
      const after = sinceMs === undefined ? 0 : Date.now() - sinceMs;
      await listObjects(
        api,
        '/apis/events.k8s.io/v1/events',
        { signal },
        {
          begin: () => {
            found = [];
          },
          add(object) {
            const event = object as EventJson;
            if (!isWanted(event.metadata?.namespace)) return;
            const time =
              event.series?.lastObservedTime ?? event.deprecatedLastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? '';
            if (Date.parse(time) < after) return;
            const { regarding, reason, type, note, reportingController } = event;
            found.push({
              time,
              type,
              reason,
              regarding: regarding && `${regarding.kind} ${regarding.namespace ?? ''}/${regarding.name}`,
              note,
              by: reportingController,
              count: event.series?.count ?? event.deprecatedCount,
            });
          },
        },
      );
      found.sort((a, b) => (a.time < b.time ? -1 : 1));
      const note = found.length > MOST ? `the last ${MOST} of ${found.length}` : undefined;
      return { ...json(found.slice(-MOST)), note };
    },
  };
}
