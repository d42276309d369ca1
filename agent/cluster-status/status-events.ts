/** Which changes of a status are events: that something is refused, and that it is not any more. */
import type { Mesh } from '../../src/mesh/types.ts';
import type { EventRecorder, StatusEvent } from './event-recorder.ts';
import type { LiveObject } from './live-object.ts';
import { STATUS_KINDS } from './live-objects.ts';
import type { Transition } from './status-patch.ts';
import type { Refusal } from './summary.ts';

/** Reasons that are nobody's mistake, or everybody's: one refused object blocks all others, and is told of itself. */
const NO_EVENT: ReadonlySet<string> = new Set(['Pending', 'NoProxies', 'NoResources', 'Blocked', 'AddressNotAssigned', 'NoConflicts']);

/** The type whose `True` is bad. */
const NEGATIVE: ReadonlySet<string> = new Set(['Conflicted']);

function isBad({ type, status, reason }: { type: string; status: string; reason?: string }): boolean {
  return status === (NEGATIVE.has(type) ? 'True' : 'False') && !NO_EVENT.has(reason ?? '');
}

/** The events that a write of an object's status is worth: at most one bad one and one good one. */
export function eventsOf(object: LiveObject, transitions: readonly Transition[]): StatusEvent[] {
  const out: StatusEvent[] = [];
  const bad = transitions.filter(({ after }) => isBad(after));
  const [first] = bad;
  if (first !== undefined) {
    const notes = new Set(bad.map(({ after }) => after.message).filter((message) => message !== ''));
    out.push({ regarding: object, type: 'Warning', reason: first.after.reason, note: [...notes].join('; ') || first.after.reason });
  }
  const mended = transitions.find(({ before, after }) => before !== undefined && isBad(before) && !isBad(after));
  if (mended !== undefined && first === undefined) {
    const { before, after } = mended;
    const now = after.message === '' ? after.reason : after.message;
    out.push({ regarding: object, type: 'Normal', reason: 'Recovered', note: `no longer ${before?.reason}: ${now}` });
  }
  return out;
}

/** Refusals that no object with a status stands for are told of the pod whose proxy refuses. */
export interface RefusalEvents {
  look(refusals: readonly Refusal[], mesh: Mesh): void;
}

const kindsWithStatus = new Set(STATUS_KINDS.map(({ kind }) => kind));
const hasOwnStatus = ({ origin = '' }: Refusal): boolean => kindsWithStatus.has(origin.slice(0, origin.indexOf(' ')));

export function refusalEvents(events: EventRecorder): RefusalEvents {
  let known = new Map<string, Refusal>();
  const podOf = ({ proxy }: Refusal, mesh: Mesh): StatusEvent['regarding'] | undefined => {
    const workload = mesh.workloads.find((w) => w.kind === 'Pod' && `${w.name}.${w.namespace}` === proxy);
    const metadata = workload?.resource?.metadata;
    if (metadata?.uid === undefined) return undefined;
    return { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid } };
  };
  return {
    look(refusals, mesh) {
      const now = new Map<string, Refusal>();
      for (const refusal of refusals)
        if (refusal.proxy !== undefined && !hasOwnStatus(refusal)) now.set(`${refusal.proxy} ${refusal.message}`, refusal);
      for (const [key, refusal] of now) {
        const regarding = known.has(key) ? undefined : podOf(refusal, mesh);
        if (regarding) events.record({ regarding, type: 'Warning', reason: 'Refused', note: refusal.message });
      }
      for (const [key, refusal] of known) {
        const regarding = now.has(key) ? undefined : podOf(refusal, mesh);
        if (regarding) events.record({ regarding, type: 'Normal', reason: 'Recovered', note: `no longer refused: ${refusal.message}` });
      }
      known = now;
    },
  };
}
