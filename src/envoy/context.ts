import type { Problem } from '../errors.ts';
import type { Mesh, ProxyNode, ProxyScope } from '../mesh/types.ts';

/** What every part of one proxy's build gets: the inputs, and the list that findings are added to. */
export interface BuildContext {
  readonly mesh: Mesh;
  readonly scope: ProxyScope;
  readonly proxy: ProxyNode;
  readonly problems: Problem[];
  /** What is built is for requests that the workload receives; else for those that it sends, or that a gateway passes on. */
  readonly receives?: boolean;
}
