/** The last good config outlives the agent, so that a broken folder at its next start does not mean no mesh. */
import type { Snapshot } from '../src/envoy/snapshot.ts';
import type { Controller } from './controller.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Log } from './log.ts';
import { snapshotsText } from './snapshot-text.ts';

const FILE = 'last-good.json';
const SAVE_AFTER_MS = 1500;

export interface LastGood {
  /** Saves what runs, when nothing has changed for a moment: changes come in bursts. */
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
  let saving: object | undefined;

  // Resources cannot be written: a workload's is left out.
  const snapshots = (): Snapshot[] => controller.proxies().flatMap((p) => (p.applied && p.snapshot ? [withoutResource(p.snapshot)] : []));
  const failed = (error: unknown): void => log.error('the last good config could not be saved', { why: (error as Error).message });

  /** A large mesh's config has tens of megabytes: traffic and changes go on while it is written. */
  async function save(): Promise<void> {
    timer = undefined;
    if (saving) return changed();
    const own = {};
    saving = own;
    await data.writePieces(FILE, snapshotsText(version, snapshots()), () => saving === own).catch(failed);
    if (saving === own) saving = undefined;
  }

  function changed(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void save(), SAVE_AFTER_MS);
  }

  function flush(): void {
    if (!timer && !saving) return;
    clearTimeout(timer);
    timer = saving = undefined;
    try {
      data.write(FILE, snapshotsText(version, snapshots()));
    } catch (error) {
      failed(error);
    }
  }

  return {
    changed,
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
