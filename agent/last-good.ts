/** The last good config outlives the agent, so that a broken folder at its next start does not mean no mesh. */
import type { Snapshot } from '../src/envoy/snapshot.ts';
import type { Controller } from './controller.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Log } from './log.ts';

const FILE = 'last-good.json';
const SAVE_AFTER_MS = 1000;

export interface LastGood {
  /** Saves what runs, a moment later: changes come in bursts. */
  changed(): void;
  /** Saves now what is still to be saved. */
  flush(): void;
  /** Runs what was saved, when it was saved by the same version. Never rejects. */
  restore(): Promise<void>;
}

interface Saved {
  /** Of Fairlead: another one may write other config. */
  version: string;
  snapshots: Snapshot[];
}

export function keepLastGood(data: DataDirectory, controller: Controller, version: string, log: Log): LastGood {
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    // Resources cannot be written: a workload's is left out.
    const snapshots = controller.proxies().flatMap((p) => (p.applied && p.snapshot ? [withoutResource(p.snapshot)] : []));
    try {
      data.write(FILE, JSON.stringify({ version, snapshots } satisfies Saved));
    } catch (error) {
      log.error('the last good config could not be saved', { why: (error as Error).message });
    }
  }

  return {
    changed() {
      timer ??= setTimeout(flush, SAVE_AFTER_MS);
    },
    flush,
    async restore() {
      try {
        const text = data.read(FILE);
        const saved = text === undefined ? undefined : (JSON.parse(text) as Saved);
        if (saved?.version !== version || saved.snapshots.length === 0) return;
        await controller.restore(saved.snapshots);
        log.warning('the configuration is refused; the last good one runs on', { proxies: saved.snapshots.length });
      } catch (error) {
        log.error('the last good config could not be restored', { why: (error as Error).message });
      }
    },
  };
}

function withoutResource(snapshot: Snapshot): Snapshot {
  const { proxy } = snapshot;
  return { ...snapshot, problems: [], proxy: { ...proxy, workload: { ...proxy.workload, resource: undefined } } };
}
