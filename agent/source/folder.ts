/**
 * Watches files and folders of configuration. Says only that something changed; reading is the loader's.
 *
 * The kernel's events alone are not trusted (editors replace files, network file systems say nothing, limits of watches are
 * reached): every change is confirmed by a signature of what is there, and the signature is taken anew every few seconds.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Signature, signatureOf } from './signature.ts';

export interface Watched {
  close(): void;
}

/** Quiet time that ends a burst of changes, and the longest that a burst may hold back a reload. Milliseconds. */
const QUIET_MS = 10;
const LONGEST_MS = 100;
const RESYNC_MS = 2000;
/** A file that became empty is most likely about to be written: that long it is waited for. */
const EMPTY_MS = 250;
/** In place of a folder's identity: only the roots matter in it. */
const OUTSIDE = 'outside';

/**
 * Resolves when changes from then on are seen. Folders and files may come, go and be replaced, themselves or what links point to.
 *
 * @param changed is called after each burst of changes
 */
export async function watchPaths(paths: readonly string[], changed: () => void): Promise<Watched> {
  const roots = paths.filter((p) => p !== '-');
  const names = new Set(roots.map((r) => basename(r)));
  /** One watcher a folder; a folder that is replaced is another one. */
  const watchers = new Map<string, { identity: string; watcher: FSWatcher }>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let burstStarted = 0;
  let settling = false;
  let dirty = false;
  let waitedForEmpty = false;

  function poke(): void {
    if (closed) return;
    if (settling) {
      dirty = true;
      return;
    }
    const now = Date.now();
    if (timer) clearTimeout(timer);
    else burstStarted = now;
    schedule(Math.max(0, Math.min(QUIET_MS, burstStarted + LONGEST_MS - now)));
  }

  function schedule(ms: number): void {
    timer = setTimeout(() => void settle(), ms);
  }

  async function settle(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = undefined;
    settling = true;
    dirty = false;
    const now = await signatureOf(roots);
    settling = false;
    if (closed) return;
    attach(now);
    if (dirty) return poke();
    if (now.text === last.text) return;
    if (!waitedForEmpty && [...now.empty].some((f) => !last.empty.has(f) && last.files.has(f))) {
      waitedForEmpty = true;
      return schedule(EMPTY_MS);
    }
    waitedForEmpty = false;
    last = now;
    changed();
  }

  function attach({ folders }: Signature): void {
    // A root that is a file is seen through its folder, and one that is missing as well: that is where it appears.
    const wanted = new Map([...roots.map((r) => [dirname(r), OUTSIDE] as const), ...folders]);
    for (const [path, { identity, watcher }] of watchers) {
      if (wanted.get(path) === identity) continue;
      watcher.close();
      watchers.delete(path);
    }
    for (const [path, identity] of wanted) {
      if (watchers.has(path)) continue;
      try {
        const watcher = watch(path, { persistent: false }, (_event, name) => {
          if (identity !== OUTSIDE || name === null || names.has(name)) poke();
        });
        const drop = (): void => {
          watcher.close();
          if (watchers.get(path)?.watcher === watcher) watchers.delete(path);
        };
        watcher.on('error', drop);
        watchers.set(path, { identity, watcher });
      } catch {
        // Not there now, or no watches left: the resync looks again.
      }
    }
  }

  // Watched first, then looked at: nothing falls in between.
  attach(await signatureOf(roots));
  let last = await signatureOf(roots);
  attach(last);
  const resync = setInterval(() => {
    if (!timer && !settling) void settle();
  }, RESYNC_MS);
  resync.unref();
  return {
    close() {
      closed = true;
      clearInterval(resync);
      if (timer) clearTimeout(timer);
      for (const { watcher } of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}
