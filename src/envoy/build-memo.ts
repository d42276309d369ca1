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
  /** Whether endpoints are among what it asked for. */
  readsEndpoints: boolean;
  value: unknown;
  problems: readonly Problem[];
  /** The last build that used it. */
  build: number;
}

/** Handed from build to build of one proxy: all of them fill the same one, and it tells of the last. */
interface State {
  build: number;
  basis: readonly unknown[];
  /** All that services and rules can be asked about follows from these. */
  world: readonly (readonly unknown[])[];
  endpoints: object | undefined;
  parts: Map<string, Map<string, Part>>;
  kept: Map<string, unknown>;
}

const states = new WeakMap<BuildMemo, State>();

/** What all parts may look at: when it changes, all of them are made again. */
export function basisOf({ mesh, scope }: Pick<BuildContext, 'mesh' | 'scope'>): unknown[] {
  const { sidecar, outboundTrafficPolicy } = scope;
  return [mesh.config, mesh.peerAuthentications, sidecar, outboundTrafficPolicy, essenceOf(scope)];
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

function worldOf({ mesh, scope }: Pick<BuildContext, 'mesh' | 'scope'>): State['world'] {
  return [scope.services, mesh.ofKind('DestinationRule')];
}

function createBuildMemo(context: Pick<BuildContext, 'mesh' | 'scope'>, before?: BuildMemo): BuildMemo {
  const state: State = (before && states.get(before)) ?? {
    build: 0,
    basis: [],
    world: [],
    endpoints: undefined,
    parts: new Map(),
    kept: new Map(),
  };
  const basis = basisOf(context);
  const world = worldOf(context);
  const valid = sameItems(state.basis, basis);
  /** Services and rules are what they were: questions about them need not be asked again. */
  const quiet = state.world.length === world.length && state.world.every((list, i) => sameItems(list, world[i]!));
  const still = quiet && state.endpoints === context.mesh.endpointsVersion;
  Object.assign(state, { build: state.build + 1, basis, world, endpoints: context.mesh.endpointsVersion });
  const isFresh = (part: Part, inputs: readonly unknown[], context: BuildContext): boolean => {
    if (!sameItems(part.inputs, inputs)) return false;
    // Used in this build already, or right by the build before.
    if (part.build === state.build) return true;
    return valid && ((part.build === state.build - 1 && (part.readsEndpoints ? still : quiet)) || holds(part.reads, context));
  };
  const memo: BuildMemo = {
    part<T>(kind: string, key: string, inputs: readonly unknown[], context: BuildContext, make: (context: BuildContext) => T): T {
      const parts = getOrMake(state.parts, kind, () => new Map<string, Part>());
      let part = parts.get(key);
      if (part === undefined || !isFresh(part, inputs, context)) {
        const tracked = trackedContext(context);
        const value = interned(make(tracked.context), part?.value as T | undefined);
        const { reads, problems } = tracked;
        part = { inputs, reads, readsEndpoints: reads.some(([what]) => what === 'endpoints'), value, problems, build: 0 };
        parts.set(key, part);
      }
      part.build = state.build;
      for (const problem of part.problems) context.problems.push(problem);
      return part.value as T;
    },
    still: valid && still,
    last: <T>(name: string) => state.kept.get(name) as T | undefined,
    keep(name, value) {
      state.kept.set(name, value);
      return value;
    },
    finish() {
      for (const parts of state.parts.values()) for (const [key, part] of parts) if (part.build !== state.build) parts.delete(key);
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
