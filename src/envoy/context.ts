import type { Problem } from '../errors.ts';
import type { Mesh, ProxyNode, ProxyScope } from '../mesh/types.ts';

/**
 * Parts of one proxy's config from one build to the next, so that only those are made again whose inputs changed, and those that come
 * out the same stay the same objects. One build fills one memo, from the one of the build before.
 */
export interface BuildMemo {
  /**
   * The part `key` of a kind: the one of the build before when `inputs` are the same objects, and all that `make` asked of its context
   * has the same answers. `make` must look at nothing else that changes.
   */
  part<T>(kind: string, key: string, inputs: readonly unknown[], context: BuildContext, make: (context: BuildContext) => T): T;
  /** Services, rules, endpoints, settings and the proxy are what they were in the build before. */
  readonly still: boolean;
  /** What the build before kept under a name. */
  last<T>(name: string): T | undefined;
  keep<T>(name: string, value: T): T;
  /** The build is done: what of the one before was not used is let go. */
  finish(): void;
}

/** What every part of one proxy's build gets: the inputs, and the list that findings are added to. */
export interface BuildContext {
  readonly mesh: Mesh;
  readonly scope: ProxyScope;
  readonly proxy: ProxyNode;
  readonly problems: Problem[];
  /** Parts of the build before. */
  readonly memo: BuildMemo;
  /** What is built is for requests that the workload receives; else for those that it sends, or that a gateway passes on. */
  readonly receives?: boolean;
}
