/** The smallest write that makes an object's status what it is to be. Entries of others stay as they are. */
import { isDeepStrictEqual } from 'node:util';
import { OWN_CONTROLLER } from '../../src/mesh/gateway-api/classes.ts';
import type { WantedGateway, WantedParent } from './gateway-api-status.ts';
import type { LiveCondition, LiveObject, WantedCondition } from './live-object.ts';
import { mergeConditions } from './merge-conditions.ts';

/** A condition that is another one now. */
export interface Transition {
  readonly before: LiveCondition | undefined;
  readonly after: WantedCondition;
}

/** What is applied to `/status`. */
export interface StatusPatch {
  readonly body: Readonly<Record<string, unknown>>;
  /** Conditions whose status or reason is another one. */
  readonly transitions: readonly Transition[];
}

const conditionsOf = (value: unknown): readonly LiveCondition[] =>
  Array.isArray(value) ? value.filter((c: Partial<LiveCondition> | null) => typeof c?.type === 'string') : [];

function transitions(live: readonly LiveCondition[], wanted: readonly WantedCondition[]): Transition[] {
  return wanted.flatMap((after) => {
    const before = live.find(({ type }) => type === after.type);
    return before?.status === after.status && before.reason === after.reason ? [] : [{ before, after }];
  });
}

/** @param locked another write since then makes this one fail: lists of others' entries are written as they were read */
function body({ apiVersion, kind, metadata }: LiveObject, status: object, locked: boolean): StatusPatch['body'] {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), uid, ...(locked && { resourceVersion }) }, status };
}

/** Istio's kinds: their definitions have one list of conditions for all writers. undefined: nothing to write. */
export function istioPatch(live: LiveObject, wanted: readonly WantedCondition[], now: string, exact = false): StatusPatch | undefined {
  const { generation } = live.metadata;
  const before = conditionsOf(live.status?.['conditions']);
  const merged = mergeConditions(before, wanted, generation, now, exact);
  if (merged === undefined) return undefined;
  const own = new Set(merged.map(({ type }) => type));
  const conditions = [...before.filter(({ type }) => !own.has(type)), ...merged];
  return { body: body(live, { observedGeneration: generation, conditions }, true), transitions: transitions(before, wanted) };
}

/** Gateways and GatewayClasses, whose conditions and listeners are lists by name. */
export function gatewayPatch(live: LiveObject, wanted: WantedGateway, now: string): StatusPatch | undefined {
  const { generation } = live.metadata;
  const status = live.status ?? {};
  const before = conditionsOf(status['conditions']);
  const conditions = mergeConditions(before, wanted.conditions, generation, now);
  const listed = (status['listeners'] ?? []) as readonly {
    name: string;
    attachedRoutes?: number;
    supportedKinds?: unknown;
    conditions?: unknown;
  }[];
  let changed = conditions !== undefined || !isDeepStrictEqual(status['addresses'] ?? [], wanted.addresses ?? []);
  changed ||= listed.length !== (wanted.listeners ?? []).length;
  const moved = transitions(before, wanted.conditions);
  const listeners = wanted.listeners?.map((listener) => {
    const known = listed.find(({ name }) => name === listener.name);
    const old = conditionsOf(known?.conditions);
    const merged = mergeConditions(old, listener.conditions, generation, now);
    changed ||= merged !== undefined || known?.attachedRoutes !== listener.attachedRoutes;
    changed ||= !isDeepStrictEqual(known?.supportedKinds ?? [], listener.supportedKinds);
    moved.push(...transitions(old, listener.conditions));
    return { ...listener, conditions: merged ?? current(old, listener.conditions) };
  });
  if (!changed) return undefined;
  return {
    body: body(
      live,
      {
        conditions: conditions ?? current(before, wanted.conditions),
        ...(wanted.addresses && { addresses: wanted.addresses }),
        ...(listeners && { listeners }),
      },
      false,
    ),
    transitions: moved,
  };
}

/** Those that are wanted, as they are there. */
function current(live: readonly LiveCondition[], wanted: readonly WantedCondition[]): LiveCondition[] {
  return wanted.flatMap(({ type }) => live.find((c) => c.type === type) ?? []);
}

interface LiveParent {
  readonly controllerName?: string;
  readonly parentRef?: Readonly<Record<string, unknown>>;
  readonly conditions?: unknown;
}

/** Routes: one list for all controllers, each with its own entries. */
export function routePatch(live: LiveObject, wanted: readonly WantedParent[], now: string): StatusPatch | undefined {
  const { generation } = live.metadata;
  const all = (Array.isArray(live.status?.['parents']) ? live.status['parents'] : []) as readonly LiveParent[];
  const others = all.filter(({ controllerName }) => controllerName !== OWN_CONTROLLER);
  const own = all.filter(({ controllerName }) => controllerName === OWN_CONTROLLER);
  let changed = own.length !== wanted.length;
  const moved: Transition[] = [];
  const parents = wanted.map(({ parentRef, conditions }) => {
    const known = own.find((p) => isDeepStrictEqual({ ...p.parentRef }, { ...parentRef }));
    const before = conditionsOf(known?.conditions);
    const merged = mergeConditions(before, conditions, generation, now);
    changed ||= merged !== undefined;
    moved.push(...transitions(before, conditions));
    return { parentRef, controllerName: OWN_CONTROLLER, conditions: merged ?? current(before, conditions) };
  });
  if (!changed) return undefined;
  return { body: body(live, { parents: [...others, ...parents] }, true), transitions: moved };
}
