import type { ApiClient } from '../../../src/kubernetes/client.ts';
import { createReachability } from '../../../src/kubernetes/reachability.ts';
import { WATCH_TIMING, watchCollection } from '../../../src/kubernetes/watch-collection.ts';
import type { Log } from '../../log.ts';
import { filesIn, type SharedFiles, stateSecretPath } from './state-secret.ts';

/** Tells what the Secret has, at first and whenever it changes, until it is closed. */
export function watchState(
  client: ApiClient,
  { namespace, name }: { namespace: string; name: string },
  log: Log,
  changed: (shared: SharedFiles) => void,
): { close(): Promise<void> } {
  const stop = new AbortController();
  const { signal } = stop;
  let told = '';
  const put = (item: Record<string, unknown>): void => {
    try {
      changed(filesIn(item as unknown as SharedFiles['object']));
    } catch (error) {
      log.error('the CA’s state is not taken over', { why: (error as Error).message });
    }
  };
  const watching = watchCollection({
    client,
    path: stateSecretPath(namespace),
    fieldSelector: `metadata.name=${name}`,
    reachability: createReachability(client, signal),
    timing: WATCH_TIMING,
    signal,
    keep: (item) => item,
    listed: (items) => items.forEach(put),
    put,
    dropped: () => log.error('the CA’s Secret is gone; the last state goes on', { secret: `${namespace}/${name}` }),
    opened() {
      told = '';
    },
    failed(error) {
      if (error.message !== told) log.error('the CA’s Secret cannot be watched; it is tried again', { why: error.message });
      told = error.message;
      return false;
    },
  });
  return {
    async close() {
      stop.abort();
      await watching;
    },
  };
}
