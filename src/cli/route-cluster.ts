/** Routes of a cluster: read as all commands read it, and written by small patches. */

import { loadSource } from '../config/load.ts';
import type { SourceObject } from '../config/source-object.ts';
import { ObjectPlace } from '../config/source-object.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import { pathSource } from '../config/sources/path-source.ts';
import { checkChanges, type Sides } from '../edit/check-changes.ts';
import type { FileChange } from '../edit/draft.ts';
import { managerOf } from '../edit/live/managed-by.ts';
import { createObjectDraft, type ObjectChange, type ObjectDraft } from '../edit/live/object-draft.ts';
import { type WrittenObject, writeObjects } from '../edit/live/write-objects.ts';
import { renderDocument } from '../edit/render.ts';
import { FairleadError } from '../errors.ts';
import type { LiveObject } from '../install/live/cluster-api.ts';
import type { ObjectRef } from '../install/objects/object.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { buildMesh } from '../mesh/mesh.ts';
import { type ClusterFlags, type ClusterSource, clusterSource, wrongObjects } from './cluster-flags.ts';
import { openCluster } from './install-flags.ts';
import { type RouteStore, warningText } from './route-store.ts';

export interface ClusterStore extends RouteStore<ObjectDraft> {
  client(): Promise<ApiClient>;
  /** Refuses changes that make the configuration wrong; what else they bring about are warnings. Throws E_CONFIG_REFUSED. */
  check(changes: readonly ObjectChange[], warn: (text: string) => void): Promise<void>;
  /** Says who else writes an object, if anybody does. */
  warnOfManager(live: LiveObject, ref: ObjectRef, warn: (text: string) => void): void;
}

/** Routes of the cluster that the flags name. @param paths files that are read over it, for commands that only read */
export function clusterStore(flags: ClusterFlags & { namespace: string }, paths: readonly string[] = []): ClusterStore {
  const cluster = clusterSource(flags) as ClusterSource;
  const { namespace } = flags;
  let opened: Promise<ApiClient> | undefined;
  let objects: readonly SourceObject[] = [];
  const client = (): Promise<ApiClient> => {
    opened ??= openCluster(flags.context);
    return opened;
  };

  function warnOfManager(live: LiveObject, ref: ObjectRef, warn: (text: string) => void): void {
    const manager = managerOf(live);
    if (manager !== undefined) warn(`${ref.kind} ${ref.namespace}/${ref.name} is ${manager.name}’s (${manager.by}). ${manager.next}`);
  }

  async function check(changes: readonly ObjectChange[], warn: (text: string) => void): Promise<void> {
    const { context } = await client();
    const sides: Sides = { before: sourceOf(cluster.name, objects), after: sourceOf(cluster.name, changed(objects, changes, context)) };
    for (const warning of await checkChanges({ ...sides, partial: !cluster.complete() }, { namespace })) warn(warningText(warning));
  }

  return {
    async load() {
      objects = (await cluster.read()).objects ?? [];
      const loaded = await loadSource(pathSource(paths), { namespace, leaveOut: true, besides: sourceOf(cluster.name, objects) });
      const wrong = wrongObjects(loaded.problems);
      if (wrong !== undefined) process.stderr.write(`warning: ${wrong}\n`);
      const unreadable = loaded.problems.filter((p) => p.severity === 'error' && p.position?.line !== 0);
      if (unreadable.length > 0) throw new FairleadError('E_CONFIG_INVALID', 'the configuration has errors', { problems: unreadable });
      return buildMesh(loaded.resources, { meshConfig: loaded.meshConfig, meshConfigSource: loaded.meshConfigSource });
    },
    draft: () => createObjectDraft(objects),
    newFile(target, near) {
      if (near !== undefined || target.service !== undefined) return { file: cluster.name, text: undefined };
      throw new FairleadError(
        'E_EDIT_REFUSED',
        `no service of the cluster says in which namespace a resource about ${target.host} belongs`,
      );
    },
    async commit(draft, { dryRun, refused, ahead, warn }) {
      const api = await client();
      const changes = draft.changes();
      // First of all the API server is asked: what is shown is what it would make of them.
      const tried = await writeObjects(api, changes, true);
      const shown = tried.map((one) => textChange(api.context, one)).filter(({ before, after }) => before !== after);
      await check(changes, warn).catch((error: unknown) => {
        refused(shown);
        throw error;
      });
      for (const { before, ref } of tried) if (before !== undefined) warnOfManager(before, ref, warn);
      if (dryRun) return shown;
      ahead(shown);
      await writeObjects(api, changes, false);
      return shown;
    },
    client,
    check,
    warnOfManager,
    close() {
      opened?.then(
        (api) => api.close(),
        () => undefined,
      );
    },
  };
}

function sourceOf(name: string, objects: readonly SourceObject[]): ConfigSource {
  return { name, read: async () => ({ files: [], objects, problems: [] }) };
}

function changed(objects: readonly SourceObject[], changes: readonly ObjectChange[], context: string): SourceObject[] {
  const made = ({ after }: ObjectChange): SourceObject[] =>
    after === undefined
      ? []
      : [{ value: after, source: new ObjectPlace(context, after as unknown as ConstructorParameters<typeof ObjectPlace>[1]) }];
  const byObject = new Map(changes.map((change) => [change.before, change]));
  const kept = objects.flatMap((object) => {
    const change = byObject.get(object);
    return change === undefined ? [object] : made(change);
  });
  return [...kept, ...changes.filter(({ before }) => before === undefined).flatMap(made)];
}

function textChange(context: string, { ref, before, after }: WrittenObject): FileChange {
  const text = (live: LiveObject | undefined): string | undefined => {
    if (live === undefined) return undefined;
    const { name, namespace, labels, annotations } = live.metadata as Record<string, unknown>;
    const metadata = { name, namespace, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
    return renderDocument({ apiVersion: live.apiVersion, kind: live.kind, metadata, spec: live['spec'] });
  };
  return { file: `cluster/${context}: ${ref.kind} ${ref.namespace}/${ref.name}`, before: text(before), after: text(after) };
}
