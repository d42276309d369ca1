/**
 * What came from the node's agent and is not taken yet. Responses are put together to wholes: clusters with their endpoints, listeners with
 * their routes, all with their secrets; so that an engine never gets half of a change. A whole is answered when the engine has said what
 * it makes of it.
 */
import { ABOUT } from '../node/about.ts';
import type { ResourceKind } from '../xds/resource-types.ts';
import type { AdsResponse, AdsStream, Held } from './ads-client.ts';
import { type HeldSet, type HeldState, NAMED_KINDS, type NamedKind, namesNeeded } from './assembly.ts';

/** What can be taken together. */
export interface Batch {
  /** What is held, with these in their place. */
  staged: HeldState;
  kinds: readonly ResourceKind[];
}

export interface Inbox {
  /** Asks for all that is wanted, telling what is held. */
  opened(stream: AdsStream, held: HeldState): void;
  received(response: AdsResponse): void;
  closed(): void;
  /** The next whole; asks for what is still lacking. */
  next(held: HeldState): Batch | undefined;
  /** The names that came with the response of a type that is not answered yet. */
  news(kind: ResourceKind): readonly string[];
  /** Those that were taken away with it. */
  gone(kind: ResourceKind): readonly string[];
  accept(kinds: readonly ResourceKind[]): void;
  refuse(kind: ResourceKind, reason: string): void;
}

/** As Envoy's initial_fetch_timeout: what is not answered in this time is taken for not there. */
const PATIENCE_MS = 15_000;

type Wholes = readonly (readonly ResourceKind[])[];
/** The most that can be whole first. Clusters do not wait for the routes of listeners that came with them: those come when clusters are answered. */
const WHOLES: Wholes = [
  ['secret', 'cluster', 'endpoint', 'listener', 'route'],
  ['secret', 'cluster', 'endpoint'],
  ['secret', 'endpoint'],
  ['secret'],
];

interface Pending {
  nonce: string;
  changed: ReadonlyMap<string, Held>;
  removed: readonly string[];
}

/** @param wake something may be whole now though nothing came */
export function createInbox(wake: () => void): Inbox {
  let stream: AdsStream | undefined;
  const pending = new Map<ResourceKind, Pending>();
  /** Parts of wholes: answered, so that the rest can come, and not given to anybody yet. */
  const parts = new Map<ResourceKind, Pending>();
  const asked: Record<NamedKind, Set<string>> = { endpoint: new Set(), route: new Set(), secret: new Set() };
  /** Names that were answered: there is none. */
  const absent: Record<NamedKind, Set<string>> = { endpoint: new Set(), route: new Set(), secret: new Set() };
  let timer: NodeJS.Timeout | undefined;

  function reset(): void {
    clearTimeout(timer);
    timer = undefined;
    pending.clear();
    parts.clear();
    for (const kind of NAMED_KINDS) {
      asked[kind].clear();
      absent[kind].clear();
    }
  }

  function staged(held: HeldState, kinds: readonly ResourceKind[]): HeldState {
    const out = { ...held };
    for (const kind of kinds) {
      let set: HeldSet = out[kind];
      for (const change of [parts.get(kind), pending.get(kind)]) if (change) set = changedSet(set, change);
      out[kind] = set;
    }
    return out;
  }

  function lacking(state: HeldState, kind: NamedKind, needed = namesNeeded(state)): string[] {
    return [...needed[kind]].filter((name) => !state[kind].has(name) && !absent[kind].has(name));
  }

  function* newNames(kind: NamedKind): Iterable<string> {
    for (const change of [parts.get(kind), pending.get(kind)]) if (change) yield* change.changed.keys();
  }

  function ask(held: HeldState, all: HeldState): void {
    const [now, next] = [namesNeeded(held), namesNeeded(all)];
    for (const kind of NAMED_KINDS) {
      const wanted = new Set([...now[kind], ...next[kind]]);
      const subscribe = [...wanted].filter((name) => !asked[kind].has(name));
      const unsubscribe = [...asked[kind]].filter((name) => !wanted.has(name));
      if (subscribe.length + unsubscribe.length === 0) continue;
      for (const name of unsubscribe) absent[kind].delete(name);
      asked[kind] = wanted;
      stream?.ask(kind, { subscribe, unsubscribe });
    }
  }

  function giveUp(held: HeldState): void {
    timer = undefined;
    const all = staged(held, WHOLES[0] as readonly ResourceKind[]);
    for (const kind of NAMED_KINDS) for (const name of lacking(all, kind)) absent[kind].add(name);
    wake();
  }

  return {
    opened(now, held) {
      reset();
      stream = now;
      const versions = (kind: ResourceKind): Record<string, string> =>
        Object.fromEntries([...held[kind]].map(([name, { version }]) => [name, version]));
      now.ask('about', { subscribe: [ABOUT], initial: versions('about') });
      const needed = namesNeeded(held);
      now.ask('cluster', { initial: versions('cluster') });
      now.ask('listener', { initial: versions('listener') });
      for (const kind of NAMED_KINDS) {
        asked[kind] = new Set(needed[kind]);
        if (needed[kind].size > 0) now.ask(kind, { subscribe: [...needed[kind]], initial: versions(kind) });
      }
    },
    received({ kind, nonce, resources, removed }) {
      const before = pending.get(kind);
      pending.set(kind, before ? joined(before, { nonce, changed: resources, removed }) : { nonce, changed: resources, removed });
      if (kind !== 'endpoint' && kind !== 'route' && kind !== 'secret') return;
      for (const name of removed) absent[kind].add(name);
      for (const name of resources.keys()) absent[kind].delete(name);
    },
    closed() {
      stream = undefined;
      reset();
    },
    next(held) {
      if (stream === undefined) return undefined;
      const all = staged(held, WHOLES[0] as readonly ResourceKind[]);
      ask(held, all);
      if (pending.has('about')) return { staged: staged(held, ['about']), kinds: ['about'] };
      if (pending.size === 0) return undefined;
      for (const whole of WHOLES) {
        const kinds = whole.filter((kind) => pending.has(kind) || parts.has(kind));
        if (!kinds.some((kind) => pending.has(kind))) continue;
        const state = staged(held, kinds);
        const needed = namesNeeded(state);
        if (NAMED_KINDS.some((kind) => lacking(state, kind, needed).length > 0)) continue;
        // What is for others that still wait would be lost.
        const early = (kind: NamedKind): boolean => kinds.includes(kind) && [...newNames(kind)].some((name) => !needed[kind].has(name));
        if (whole !== WHOLES[0] && NAMED_KINDS.some(early)) continue;
        clearTimeout(timer);
        timer = undefined;
        return { staged: pruned(state, needed), kinds };
      }
      const needed = namesNeeded(all);
      for (const kind of NAMED_KINDS) {
        const change = pending.get(kind);
        if (change === undefined || lacking(all, kind, needed).length === 0) continue;
        const before = parts.get(kind);
        parts.set(kind, before ? joined(before, change) : change);
        pending.delete(kind);
        stream.answer(kind, change.nonce);
      }
      timer ??= setTimeout(() => giveUp(held), PATIENCE_MS).unref();
      return undefined;
    },
    news: (kind) => [...(pending.get(kind)?.changed.keys() ?? [])],
    gone: (kind) => pending.get(kind)?.removed ?? [],
    accept(kinds) {
      for (const kind of kinds) {
        const change = pending.get(kind);
        if (change) stream?.answer(kind, change.nonce);
        pending.delete(kind);
        parts.delete(kind);
      }
    },
    refuse(kind, reason) {
      const change = pending.get(kind);
      if (change) stream?.answer(kind, change.nonce, reason);
      pending.delete(kind);
    },
  };
}

function changedSet(set: HeldSet, { changed, removed }: Pending): HeldSet {
  const out = new Map(set);
  for (const [name, held] of changed) out.set(name, held);
  for (const name of removed) out.delete(name);
  return out;
}

/** Two changes of one type, one after the other. */
function joined(before: Pending, { nonce, changed, removed }: Pending): Pending {
  const gone = new Set(removed);
  const first = [...before.changed].filter(([name]) => !gone.has(name));
  return { nonce, changed: new Map([...first, ...changed]), removed: [...before.removed.filter((name) => !changed.has(name)), ...removed] };
}

/** Without what nothing leads to any more. */
function pruned(state: HeldState, needed: Record<NamedKind, ReadonlySet<string>>): HeldState {
  const out = { ...state };
  for (const kind of NAMED_KINDS) {
    const extra = [...state[kind].keys()].some((name) => !needed[kind].has(name));
    if (extra) out[kind] = new Map([...state[kind]].filter(([name]) => needed[kind].has(name)));
  }
  return out;
}
