import type { DestinationRule, VirtualService } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import type { Report } from './problem.ts';
import type { DestinationRuleView, ResolvedMeshConfig, Service, VirtualServiceView } from './types.ts';

/** Something that was made, and what was reported meanwhile. */
export interface Made<T> {
  value: T;
  problems: readonly Problem[];
}

/**
 * What was made of single resources, from one mesh to the next: an unchanged resource gives the same objects, and whoever compares by
 * identity sees only what changed. All of it follows from the resource, the settings and the Namespaces, and is void when one of the
 * latter changes. Nothing here is needed: what is not found is made.
 */
export interface ModelMemo {
  config: ResolvedMeshConfig;
  namespaces: readonly Resource[];
  services: WeakMap<Resource, Made<readonly Service[]>>;
  registry: RegistryMemo;
  /** What was made of all objects of some kinds, as long as they are the same. */
  stages: Map<string, Made<unknown> & { inputs: readonly unknown[] }>;
  views: WeakMap<Resource<VirtualService>, VirtualServiceView>;
  /** Views with delegates merged in, by their roots, with the delegates that were asked for. */
  merged: WeakMap<VirtualServiceView, Made<VirtualServiceView> & { delegates: readonly (VirtualServiceView | undefined)[] }>;
  /** Views of routes of the Gateway API, by what tells them apart. */
  gatewayApiViews: Map<string, VirtualServiceView>;
  /** By the first of the rules that one view is made of. */
  rules: WeakMap<Resource<DestinationRule>, Made<DestinationRuleView> & { resources: readonly Resource<DestinationRule>[] }>;
}

/** Services that stand for others. What they stand for is part of their identity, so it stays true. */
export interface RegistryMemo {
  /** What a united service was put together from. */
  parts: WeakMap<Service, readonly Service[]>;
  /** The whole service that a copy with fewer ports or aliases was made from. */
  originals: WeakMap<Service, Service>;
  derived: WeakMap<Service, Map<string, Service>>;
  /** By the first service of several that are one. */
  united: WeakMap<Service, Service[]>;
  /** Copies that know their aliases, or the end of their chain of aliases. */
  linked: WeakMap<Service, Map<string, Service>>;
}

/** An empty memo. */
export function createModelMemo(config: ResolvedMeshConfig, namespaces: readonly Resource[]): ModelMemo {
  return {
    config,
    namespaces,
    services: new WeakMap(),
    registry: { parts: new WeakMap(), originals: new WeakMap(), derived: new WeakMap(), united: new WeakMap(), linked: new WeakMap() },
    stages: new Map(),
    views: new WeakMap(),
    merged: new WeakMap(),
    gatewayApiViews: new Map(),
    rules: new WeakMap(),
  };
}

/** True when both lists have the same objects at the same places. */
export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => item === b[i]));
}

/** What `make` gives and reports, as something that can be kept. */
export function made<T>(make: (report: Report) => T): Made<T> {
  const problems: Problem[] = [];
  const value = make((problem) => void problems.push(problem));
  return { value, problems };
}

/** The whole that `make` makes of `inputs`: the one before when these are the same objects. */
export function stage<T>(memo: ModelMemo, name: string, inputs: readonly unknown[], report: Report, make: (report: Report) => T): T {
  let known = memo.stages.get(name);
  if (known === undefined || !sameItems(known.inputs, inputs)) {
    known = { ...made(make), inputs };
    memo.stages.set(name, known);
  }
  return reported(known as Made<T>, report);
}

/** The value, after its problems were reported once more. */
export function reported<T>({ value, problems }: Made<T>, report: Report): T {
  for (const problem of problems) report(problem);
  return value;
}
