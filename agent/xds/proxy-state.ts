/** What is known of one proxy, whether it is connected or not. */
import type { Desired } from './desired.ts';
import type { XdsResource } from './resource.ts';
import type { XdsStream } from './stream.ts';

export interface ProxyState {
  /** The node id. */
  readonly id: string;
  /** undefined until it is set: who asks until then waits. */
  desired: Desired | undefined;
  readonly streams: Set<XdsStream>;
  /** The last version of each resource of a type that a client took, by name. */
  lastGood(url: string): Map<string, XdsResource>;
}

export function newProxyState(id: string): ProxyState {
  const good = new Map<string, Map<string, XdsResource>>();
  return {
    id,
    desired: undefined,
    streams: new Set(),
    lastGood(url) {
      let found = good.get(url);
      if (found === undefined) {
        found = new Map();
        good.set(url, found);
      }
      return found;
    },
  };
}
