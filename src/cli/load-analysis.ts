import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type LoadOptions, type LoadResult, loadSource } from '../config/load.ts';
import { isConfigFile } from '../config/sources/config-file.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { type Overlay, overlaySource } from '../config/sources/overlay-source.ts';
import { pathSource } from '../config/sources/path-source.ts';
import type { TextFile } from '../config/text-file.ts';

/** A configuration with the texts it was read from, for comments. */
export type LoadedTexts = LoadResult & { readonly texts: readonly TextFile[] };

interface AnalysisOptions extends LoadOptions {
  readonly recursive?: boolean;
  /** Texts in place of those of some files: how it would be after a change. */
  readonly overlays?: readonly Overlay[];
}

/** As loadConfig; with `recursive: false` folders inside the named ones are left out. */
export async function loadForAnalysis(paths: readonly string[], options: AnalysisOptions = {}): Promise<LoadedTexts> {
  const { recursive = true, meshConfig, overlays = [] } = options;
  let texts: readonly TextFile[] = [];
  const files = pathSource(recursive ? paths : await withoutFolders(paths), options);
  const inner = overlays.length === 0 ? files : overlaySource(files, overlays);
  const source: ConfigSource = {
    name: inner.name,
    async read() {
      const read = await inner.read();
      texts = read.files;
      return read;
    },
  };
  const loaded = await loadSource(source, options, meshConfig === undefined ? undefined : pathSource([meshConfig], options));
  // Lines are shown as they were read, and no file is read twice.
  return { ...loaded, texts, sources: new Map(texts.map(({ name, text }) => [name, text])) };
}

/** The files of each folder, less those deeper down; what is no folder stays, and so does what cannot be read, to be reported. */
async function withoutFolders(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const info = path === '-' ? undefined : await stat(path).catch(() => undefined);
    const entries = info?.isDirectory() ? await readdir(path, { withFileTypes: true }).catch(() => undefined) : undefined;
    if (entries === undefined) found.push(path);
    for (const entry of entries ?? []) {
      if (entry.isDirectory() || entry.name.startsWith('.') || !isConfigFile(entry.name)) continue;
      found.push(join(path, entry.name));
    }
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
