import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../errors.ts';
import { getOrMake } from '../mesh/memo.ts';
import { sameItems } from '../mesh/model-memo.ts';
import type { Mesh, ProxyScope } from '../mesh/types.ts';
import type { BuildContext, BuildMemo } from './context.ts';
import { holds, type Reads, trackedContext } from './tracked-context.ts';

/** A part of a proxy's config, with all that it was made from. */
interface Part {
  inputs: readonly unknown[];
  reads: Reads;
  value: unknown;
  problems: readonly Problem[];
}

interface State {
  basis: readonly unknown[];
  parts: Map<string, Map<string, Part>>;
  kept: Map<string, unknown>;
}

const states = new WeakMap<BuildMemo, State>();

/** What all parts may look at: when it changes, all of them are made again. */
function basisOf({ mesh, scope }: Pick<BuildContext, 'mesh' | 'scope'>): unknown[] {
  const { sidecar, outboundTrafficPolicy } = scope;
  return [mesh.config, sidecar, outboundTrafficPolicy, essenceOf(scope)];
}

/** A proxy's own properties, as text. */
function essenceOf({ proxy }: ProxyScope): string {
  const { workload, ...rest } = proxy;
  const { resource, ...own } = workload;
  return JSON.stringify([rest, own]);
}

const nameOf = (member: unknown): unknown => (member as { name?: unknown } | undefined)?.name;

/** `value`, with `before` or the members of it in place of what is equal to them. */
function interned<T>(value: T, before: T | undefined): T {
  if (before === undefined) return value;
  if (!Array.isArray(value) || !Array.isArray(before)) return isDeepStrictEqual(value, before) ? before : value;
  const named = new Map<unknown, unknown>(before.map((member) => [nameOf(member), member]));
  const members = value.map((member, i) => {
    const old = nameOf(member) === nameOf(before[i]) ? before[i] : named.get(nameOf(member));
    return old !== undefined && isDeepStrictEqual(member, old) ? old : member;
  });
  return sameItems(members, before) ? before : (members as T);
}

function createBuildMemo(context: Pick<BuildContext, 'mesh' | 'scope'>, before?: BuildMemo): BuildMemo {
  let old = before && states.get(before);
  const state: State = { basis: basisOf(context), parts: new Map(), kept: new Map() };
  const valid = old !== undefined && sameItems(old.basis, state.basis);
  const memo: BuildMemo = {
    part<T>(kind: string, key: string, inputs: readonly unknown[], context: BuildContext, make: (context: BuildContext) => T): T {
      const parts = getOrMake(state.parts, kind, () => new Map<string, Part>());
      let part = parts.get(key);
      if (part === undefined || !sameItems(part.inputs, inputs)) {
        const known = old?.parts.get(kind)?.get(key);
        if (known !== undefined && valid && sameItems(known.inputs, inputs) && holds(known.reads, context)) {
          part = known;
        } else {
          const tracked = trackedContext(context);
          const value = interned(make(tracked.context), known?.value as T | undefined);
          part = { inputs, reads: tracked.reads, value, problems: tracked.problems };
        }
        parts.set(key, part);
      }
      context.problems.push(...part.problems);
      return part.value as T;
    },
    last: <T>(name: string) => old?.kept.get(name) as T | undefined,
    keep(name, value) {
      state.kept.set(name, value);
      return value;
    },
    finish() {
      old = undefined;
    },
  };
  states.set(memo, state);
  return memo;
}

/** `value`, or what was kept under `name` when that is equal; kept for the next build. */
export function keptWhenEqual<T>(memo: BuildMemo, name: string, value: T): T {
  return memo.keep(name, interned(value, memo.last<T>(name)));
}

/** The context of one proxy's build; `before` is the memo of the last one for the same proxy. */
export function buildContext(mesh: Mesh, scope: ProxyScope, before?: BuildMemo): BuildContext {
  return { mesh, scope, proxy: scope.proxy, problems: [], memo: createBuildMemo({ mesh, scope }, before) };
}
