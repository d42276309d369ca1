/**
 * Watches files and folders of configuration. Says only that something changed; reading is the loader's.
 *
 * fs.watch alone is not trusted (editors replace files, network file systems say nothing, new folders race): every change is
 * confirmed by a signature of names, sizes and times, and the signature is taken again every few seconds.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Watched {
  close(): void;
}

/** Quiet time that ends a burst of changes, and the longest that a burst may hold back a reload. Milliseconds. */
const QUIET_MS = 30;
const LONGEST_MS = 300;
const RESYNC_MS = 2000;

/** @param changed is called after each burst of changes, never twice at the same time for one burst */
export function watchPaths(paths: readonly string[], changed: () => void): Watched {
  const files = paths.filter((p) => p !== '-');
  const watchers = new Map<string, FSWatcher>();
  let closed = false;
  let last: string | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let burstStarted = 0;

  function poke(): void {
    if (closed) return;
    const now = Date.now();
    if (!quiet) burstStarted = now;
    else clearTimeout(quiet);
    quiet = setTimeout(() => void settle(), Math.max(0, Math.min(QUIET_MS, burstStarted + LONGEST_MS - now)));
  }

  async function settle(): Promise<void> {
    quiet = undefined;
    attach();
    const now = await signature(files);
    if (closed || now === last) return;
    last = now;
    changed();
  }

  /** A path that was missing, or a folder that was replaced, is picked up again at the next look. */
  function attach(): void {
    for (const path of files) {
      if (watchers.has(path)) continue;
      try {
        const watcher = watch(path, { recursive: true, persistent: false }, poke);
        const drop = (): void => {
          watcher.close();
          watchers.delete(path);
        };
        watcher.on('error', drop);
        // A watched file that is replaced (rename over it) leaves the watcher on the old one.
        watcher.on('change', (event) => {
          if (event === 'rename') drop();
        });
        watchers.set(path, watcher);
      } catch {
        // Not there now; the resync looks again.
      }
    }
  }

  attach();
  void signature(files).then((s) => {
    last ??= s;
  });
  const resync = setInterval(() => void settle(), RESYNC_MS);
  resync.unref();
  return {
    close() {
      closed = true;
      clearInterval(resync);
      if (quiet) clearTimeout(quiet);
      for (const w of watchers.values()) w.close();
    },
  };
}

async function signature(paths: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const path of paths) await sign(path, parts, 0);
  return parts.join('\n');
}

async function sign(path: string, parts: string[], depth: number): Promise<void> {
  try {
    const s = await stat(path);
    if (!s.isDirectory()) {
      parts.push(`${path} ${s.ino} ${s.size} ${s.mtimeMs}`);
      return;
    }
    // Deeper than any folder of configuration: a loop of symbolic links.
    if (depth > 32) return;
    for (const name of (await readdir(path)).sort()) if (!name.startsWith('.')) await sign(join(path, name), parts, depth + 1);
  } catch (error) {
    parts.push(`${path} ${(error as NodeJS.ErrnoException).code}`);
  }
}
