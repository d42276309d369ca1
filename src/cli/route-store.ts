/** Where the commands of routes read and write: files, or a cluster. */
import { DocumentSource } from '../config/document-source.ts';
import { formatPosition, type Resource } from '../config/resource.ts';
import { checkChanges, sidesOfFiles } from '../edit/check-changes.ts';
import { createDraft, type Draft, type Edits, type FileChange } from '../edit/draft.ts';
import type { RoutedHost } from '../edit/routes/service-host.ts';
import type { NewFile } from '../edit/routes/split.ts';
import { writeChanges } from '../edit/write-changes.ts';
import { FairleadError, type Problem } from '../errors.ts';
import type { Mesh } from '../mesh/types.ts';

export interface CommitOptions {
  dryRun: boolean;
  /** Told what would have been changed, before a refusal. */
  refused(changes: readonly FileChange[]): void;
  /** Told what is about to be written into a cluster. */
  ahead(changes: readonly FileChange[]): void;
  warn(text: string): void;
}

/** A place of routes. */
export interface RouteStore<E extends Edits = Edits> {
  /** Models what there is now. Throws E_CONFIG_INVALID, E_CLUSTER_*. */
  load(): Promise<Mesh>;
  draft(): E;
  /** Where new resources about a host go: to the file of its service, or that of `near`. Throws E_EDIT_REFUSED. */
  newFile(target: RoutedHost, near?: Resource): NewFile;
  /**
   * Checks and writes what was drafted. Throws E_CONFIG_REFUSED, E_EDIT_REFUSED, E_FILE_*, E_OBJECT_CHANGED, E_CLUSTER_*.
   *
   * @returns what was changed, or would be; a cluster's objects as files of YAML
   */
  commit(draft: E, options: CommitOptions): Promise<readonly FileChange[]>;
  close(): void;
}

/** Routes in files. */
export function fileStore(paths: readonly string[], namespace: string): RouteStore<Draft> {
  return {
    async load() {
      const [{ loadConfig }, { buildMesh }] = await Promise.all([import('../config/load.ts'), import('../mesh/mesh.ts')]);
      const loaded = await loadConfig(paths, { namespace });
      const errors = loaded.problems.filter((p) => p.severity === 'error');
      if (errors.length > 0)
        throw new FairleadError('E_CONFIG_INVALID', 'the configuration has errors: correct them first', { problems: errors });
      return buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
    },
    draft: createDraft,
    newFile(target, near) {
      const source = (near ?? target.service?.resource)?.source;
      if (source instanceof DocumentSource && source.file !== '-')
        return { file: source.written.file.name, text: source.written.file.text };
      throw new FairleadError('E_EDIT_REFUSED', `there is no file to write a resource about ${target.host} to`);
    },
    async commit(draft, { dryRun, refused, warn }) {
      const changes = draft.changes();
      const check = changes.length > 0 ? checkChanges(sidesOfFiles(paths, changes), { namespace }) : Promise.resolve([]);
      const warnings = await check.catch((error: unknown) => {
        refused(changes);
        throw error;
      });
      for (const warning of warnings) warn(warningText(warning));
      if (!dryRun) await writeChanges(changes);
      return changes;
    },
    close: () => undefined,
  };
}

/** A warning with its place, in a line. */
export function warningText({ message, position }: Problem): string {
  return `${message}${position ? ` (${formatPosition(position)})` : ''}`;
}
