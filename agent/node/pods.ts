/** The pods of this node that have asked for their configuration: which of them are there, and which calls are theirs. */
import { podProxies } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode, Workload } from '../../src/mesh/types.ts';
import { refuseCall } from '../xds/refuse-call.ts';
import type { XdsCall } from '../xds/stream.ts';
import { denied, type Refused, unavailable } from './reviewer.ts';
import type { PodCaller } from './token-review.ts';

export interface NodePods {
  /** The proxies of pods that have asked, as the mesh has them now. Calls of pods that are gone end. */
  choose(mesh: Mesh): ProxyNode[];
  /** The id of a pod's proxy, once its configuration was made; why there will be none. */
  proxyOf(caller: PodCaller): Promise<string | Refused>;
  /** A pod's call has begun. It ends when the pod is gone. */
  add(caller: PodCaller, call: XdsCall): Refused | undefined;
  /** The configuration of a proxy is there. */
  made(proxy: ProxyNode): void;
  /** A proxy is not served any more. */
  gone(proxyId: string): void;
}

export interface NodePodsOptions {
  nodeName: string;
  /** Somebody asks who was not served before. */
  asked(): void;
  /** The pod with this uid is not there any more. */
  forgotten(uid: string): void;
  /** How long a pod that is just known to the API server may take to be known here; milliseconds. */
  patienceMs?: number;
}

interface Entry {
  caller: PodCaller;
  /** Once its configuration was made. */
  proxyId: string | undefined;
  calls: Set<XdsCall>;
  /** Since when it has no call; milliseconds since 1970. */
  idleSince: number;
  waiting: Set<(found: string | Refused) => void>;
}

const PATIENCE_MS = 20_000;
/** A container that is started anew finds its configuration ready; a pod that stays away costs nothing. */
const KEEP_MS = 300_000;
/** An agent needs one; what is left of broken ones goes within seconds. */
const MOST_CALLS = 16;

const nameOf = ({ namespace, pod }: PodCaller): string => `${namespace}/${pod}`;

export function createNodePods({ nodeName, asked, forgotten, patienceMs = PATIENCE_MS }: NodePodsOptions): NodePods {
  /** By uid. */
  const entries = new Map<string, Entry>();

  function entryOf(caller: PodCaller): Entry {
    let entry = entries.get(caller.uid);
    if (entry === undefined) {
      entry = { caller, proxyId: undefined, calls: new Set(), idleSince: Date.now(), waiting: new Set() };
      entries.set(caller.uid, entry);
    }
    return entry;
  }

  function end(entry: Entry, refusal: Refused): void {
    entries.delete(entry.caller.uid);
    forgotten(entry.caller.uid);
    for (const tell of entry.waiting) tell(refusal);
    for (const call of entry.calls) refuseCall(call, refusal.refused, refusal.code);
  }

  const uidOf = (pod: Workload): string | undefined => pod.resource?.metadata.uid;

  /** Whether the pod of the mesh is the one that asked, here. */
  function isHere(pod: Workload, found: ReadonlyMap<string, Entry[]>): boolean {
    const asking = found.get(`${pod.namespace}/${pod.name}`);
    for (const entry of asking ?? []) {
      if (uidOf(pod) !== entry.caller.uid) continue;
      if (pod.nodeName !== '' && pod.nodeName !== nodeName) end(entry, denied(elsewhere(entry.caller, pod.nodeName)));
      // Its address comes a moment later.
      else return pod.addresses.length > 0;
    }
    return false;
  }

  const elsewhere = (caller: PodCaller, node: string): string =>
    `the pod ${nameOf(caller)} runs on the node ${node}, and this is the agent of ${nodeName}`;

  return {
    choose(mesh) {
      const now = Date.now();
      for (const entry of [...entries.values()]) {
        const left = entry.calls.size === 0 && entry.waiting.size === 0 && now - entry.idleSince > KEEP_MS;
        if (left) entries.delete(entry.caller.uid);
      }
      const byName = Map.groupBy(entries.values(), ({ caller }) => nameOf(caller));
      if (byName.size === 0) return [];
      const proxies = podProxies(mesh, (pod) => isHere(pod, byName));
      const there = new Set(proxies.map(({ workload }) => uidOf(workload)));
      for (const entry of [...entries.values()])
        if (entry.proxyId !== undefined && !there.has(entry.caller.uid)) end(entry, denied(`the pod ${nameOf(entry.caller)} is gone`));
      return proxies;
    },
    async proxyOf(caller) {
      if (caller.node !== undefined && caller.node !== nodeName) return denied(elsewhere(caller, caller.node));
      const entry = entryOf(caller);
      if (entry.proxyId !== undefined) return entry.proxyId;
      if (entry.waiting.size >= MOST_CALLS) return unavailable(`the pod ${nameOf(caller)} asks too often at the same time`);
      const found = Promise.withResolvers<string | Refused>();
      const timer = setTimeout(
        () => found.resolve(unavailable(`the pod ${nameOf(caller)} is not known on the node ${nodeName} yet, or has no address`)),
        patienceMs,
      );
      entry.waiting.add(found.resolve);
      asked();
      try {
        return await found.promise;
      } finally {
        clearTimeout(timer);
        entry.waiting.delete(found.resolve);
        entry.idleSince = Date.now();
      }
    },
    add(caller, call) {
      const entry = entries.get(caller.uid);
      if (entry === undefined) return denied(`the pod ${nameOf(caller)} is gone`);
      if (entry.calls.size >= MOST_CALLS) return unavailable(`the pod ${nameOf(caller)} has ${MOST_CALLS} streams already`);
      entry.calls.add(call);
      const over = (): void => {
        entry.calls.delete(call);
        entry.idleSince = Date.now();
      };
      for (const event of ['close', 'cancelled', 'error', 'end']) call.on(event, over);
      return undefined;
    },
    made({ id, workload }) {
      const entry = entries.get(uidOf(workload) ?? '');
      if (entry === undefined) return;
      entry.proxyId = id;
      for (const tell of entry.waiting) tell(id);
    },
    gone(proxyId) {
      for (const entry of [...entries.values()])
        if (entry.proxyId === proxyId) end(entry, unavailable(`the proxy of the pod ${nameOf(entry.caller)} is not served here any more`));
    },
  };
}
