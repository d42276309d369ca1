import type { Problem } from '../errors.ts';
import { type ParseMemo, type ParseOptions, type ParseResult, parseFiles } from './parse-config.ts';
import type { ConfigSource } from './sources/config-source.ts';
import { type PathOptions, pathSource } from './sources/path-source.ts';

/** How a configuration is loaded. */
export interface LoadOptions extends ParseOptions, PathOptions {
  /** A file with a MeshConfig: its fields at the top, without apiVersion and kind. It wins over a ConfigMap `istio`. */
  meshConfig?: string | undefined;
  /** Read besides the files, as a cluster is. */
  besides?: ConfigSource | undefined;
}

/** A configuration and all that is wrong with it. Whoever applies it refuses the whole when one problem is an error. */
export interface LoadResult extends ParseResult {
  /** What was read, as named, in order; `-` for standard input. */
  files: string[];
  /** Texts that no file can be read for again, by name, for showing lines: standard input. */
  sources: ReadonlyMap<string, string>;
}

/**
 * Loads files, folders and `-` (standard input). Nothing throws for what it finds: an unreadable or wrong file is a problem among the
 * others, all of them in one go.
 */
export async function loadConfig(paths: readonly string[], options: LoadOptions = {}): Promise<LoadResult> {
  return createLoader(paths, options)();
}

/**
 * Loads the same paths again and again. Files that did not change are not read again, documents that did not change are not parsed again,
 * and their resources are the same objects, which say where they stand now. Calls must not overlap.
 */
export function createLoader(paths: readonly string[], options: LoadOptions = {}): () => Promise<LoadResult> {
  const source = pathSource(paths, options);
  const meshConfig = options.meshConfig === undefined ? undefined : pathSource([options.meshConfig], options);
  const memo: ParseMemo = new Map();
  return () => loadSource(source, options, meshConfig, memo);
}

/** Loads what any source has. */
export async function loadSource(
  source: ConfigSource,
  options: ParseOptions & Pick<LoadOptions, 'besides'> = {},
  meshConfigSource?: ConfigSource,
  memo?: ParseMemo,
): Promise<LoadResult> {
  const { files, problems, objects = [] } = await source.read();
  const mesh = await meshConfigSource?.read();
  const more = await options.besides?.read();
  const parsed = await parseFiles([...files, ...(more?.files ?? [])], options, mesh?.files, memo, [...objects, ...(more?.objects ?? [])]);
  const before: Problem[] = [...problems, ...(mesh?.problems ?? []), ...(more?.problems ?? [])];
  const sources = new Map(files.filter((file) => file.name === '-').map((file) => [file.name, file.text]));
  return {
    ...parsed,
    sources,
    problems: [...before, ...parsed.problems],
    files: [...files, ...(mesh?.files ?? [])].map((file) => file.name),
  };
}
