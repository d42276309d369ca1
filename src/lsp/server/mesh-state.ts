import { dirname } from 'node:path';
import type { Diagnostic, TextEdit } from 'vscode-languageserver';
import type { AnalyzeOptions } from '../../analysis/analyze.ts';
import type { Finding, Fix as FindingFix } from '../../analysis/finding.ts';
import { type LoadResult, loadSource } from '../../config/load.ts';
import type { ParseMemo } from '../../config/parse-config.ts';
import { originOf } from '../../config/resource.ts';
import type { ConfigSource } from '../../config/sources/config-source.ts';
import { type Overlay, overlaySource } from '../../config/sources/overlay-source.ts';
import { pathSource } from '../../config/sources/path-source.ts';
import type { TextFile } from '../../config/text-file.ts';
import { diagnosticsOf } from '../features/diagnostics.ts';
import { fixEdits } from '../features/finding-fix.ts';
import { fileSort } from '../mesh-file.ts';
import { meshIndex } from '../names/mesh-index.ts';
import type { View } from '../view.ts';
import { createDisk, type Disk } from './disk.ts';

/** One configuration that is kept in step with its files and the editor's buffers. */
export interface MeshState {
  readonly paths: readonly string[];
  readonly disk: Disk;
  /** As it was read last: for what must be quick and can do without the last letter. undefined before it was read. */
  readonly latest: View | undefined;
  /** With every change so far. */
  fresh(): Promise<View>;
  /** What would put a finding right, by its fingerprint, in the texts of this moment. */
  fixOf(fingerprint: string): Promise<Fix | undefined>;
  /** Something changed: it is analyzed when a moment has passed without another change. */
  touch(): void;
  /** Ends after the analysis that is running. */
  close(): Promise<void>;
}

/** A fix, ready to be made. */
export interface Fix {
  readonly title: string;
  readonly changes: Record<string, TextEdit[]>;
}

/** What a configuration is kept in step with. */
export interface MeshStateInput {
  readonly paths: readonly string[];
  readonly meshConfig: string | undefined;
  readonly namespace: string;
  readonly complete: boolean;
  /** The editor's buffers, by file. */
  buffers(): readonly Overlay[];
  uriOf(file: string): string;
  documentation(finding: Finding): string | undefined;
  /** All diagnostics that there are, by file. */
  publish(byFile: ReadonlyMap<string, readonly Diagnostic[]>): void;
  failed(error: unknown): void;
}

/** Quiet time after a change, and the longest that a change waits. Milliseconds. */
const QUIET_MS = 20;
const LONGEST_MS = 400;

/** Findings that say that something is not there: a host, a workload of a selector, an endpoint of a subset. */
const ABSENT: ReadonlySet<string> = new Set(['IST0101', 'FL0202', 'FL0303']);

/** A configuration of files and buffers. Nothing is read before the first change or question. */
export function createMeshState(input: MeshStateInput): MeshState {
  const disk = createDisk(input.paths);
  const memo: ParseMemo = new Map();
  let texts: ReadonlyMap<string, TextFile> = new Map();
  let all: readonly TextFile[] = [];
  const viewOf = (resources: LoadResult['resources']): View => ({
    index: meshIndex(resources),
    textOf: (file) => texts.get(file),
    uriOf: input.uriOf,
  });
  let latest = viewOf([]);
  let loaded: LoadResult | undefined;
  let fixes: ReadonlyMap<string, FindingFix> = new Map();
  let isDirty = true;
  let isStale = true;
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let waitingSince = 0;

  /** One after the other: loading moves the positions that an analysis reads. */
  const serially = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => {});
    return done;
  };

  const meshConfig = input.meshConfig === undefined ? undefined : pathSource([input.meshConfig]);
  const source: ConfigSource = {
    name: disk.name,
    async read() {
      const buffers = input.buffers();
      const read = await overlaySource(disk, buffers).read();
      all = read.files;
      const isMesh = all.some((file) => fileSort(file) === 'mesh');
      const files = isMesh ? all.filter((file) => ['mesh', 'objects'].includes(fileSort(file))) : [];
      texts = new Map(files.map((file) => [file.name, file]));
      const open = new Set(buffers.map((buffer) => buffer.file));
      const problems = isMesh ? read.problems.filter(({ position }) => !open.has(position?.file ?? '')) : [];
      return { files, problems };
    },
  };

  async function load(): Promise<void> {
    if (!isDirty) return;
    isDirty = false;
    try {
      loaded = await loadSource(source, { namespace: input.namespace }, meshConfig, memo);
      latest = viewOf(loaded.resources);
    } catch (error) {
      // The memo is whole or empty.
      memo.clear();
      throw error;
    }
  }

  async function analyzeAndPublish(): Promise<void> {
    await load();
    if (!isStale || closed || loaded === undefined) return;
    isStale = false;
    const { analyze } = await import('../../analysis/analyze.ts');
    const options: AnalyzeOptions = { complete: input.complete };
    const { findings } = texts.size === 0 ? { findings: [] } : await analyze({ ...loaded, texts: [...texts.values()] }, options);
    if (closed) return;
    const shown = shownFindings(findings, loaded, all);
    fixes = new Map(shown.flatMap(withFix));
    input.publish(diagnosticsOf(shown, latest, input.documentation));
  }

  return {
    paths: input.paths,
    disk,
    get latest() {
      return loaded === undefined ? undefined : latest;
    },
    fresh() {
      return serially(async () => {
        await load();
        return latest;
      });
    },
    fixOf(fingerprint) {
      return serially(async () => {
        await load();
        const fix = fixes.get(fingerprint);
        const changes = fix === undefined ? undefined : fixEdits(fix, latest);
        return changes === undefined ? undefined : { title: fix!.title, changes };
      });
    },
    touch() {
      isDirty = true;
      isStale = true;
      const now = Date.now();
      if (timer === undefined) waitingSince = now;
      clearTimeout(timer);
      const wait = Math.max(0, Math.min(QUIET_MS, waitingSince + LONGEST_MS - now));
      timer = setTimeout(() => {
        timer = undefined;
        serially(analyzeAndPublish).catch(input.failed);
      }, wait);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await queue;
    },
  };
}

function withFix(finding: Finding): [string, FindingFix][] {
  return finding.fix === undefined ? [] : [[finding.fingerprint, finding.fix]];
}

/**
 * Findings less those that a workspace is no proof for: with Helm templates in it what no file has may come from one, and two objects of one
 * name in two folders may belong to two clusters, so that is said softly.
 */
function shownFindings(findings: readonly Finding[], loaded: LoadResult, files: readonly TextFile[]): Finding[] {
  const hasTemplates = files.some((file) => fileSort(file) === 'template');
  return findings.flatMap((finding) => {
    if (hasTemplates && ABSENT.has(finding.code)) return [];
    if (finding.code !== 'FL0004' || finding.position === undefined) return [finding];
    const first = loaded.resources.find((resource) => originOf(resource) === finding.origin);
    if (first === undefined || dirname(first.source.file) === dirname(finding.position.file)) return [finding];
    const hint = 'If the folders are separate configurations, name them in the setting fairlead.meshes';
    return [{ ...finding, level: 'Info' as const, hint }];
  });
}
