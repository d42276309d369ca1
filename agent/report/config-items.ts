/** A configuration as it was read, without Secrets, and what an analysis finds in it. */
import type { LoadResult } from '../../src/config/load.ts';
import { formatPosition, type Resource } from '../../src/config/resource.ts';
import type { ConfigSource } from '../../src/config/sources/config-source.ts';
import { json, type ReportItem } from './types.ts';

export interface ConfigChoice {
  readonly paths: readonly string[];
  readonly namespace?: string | undefined;
  readonly meshConfig?: string | undefined;
}

/** Items of files; none where none is named. What cannot be read is among the problems. */
export async function configItems({ paths, namespace, meshConfig }: ConfigChoice): Promise<ReportItem[]> {
  if (paths.length === 0) return [];
  const { loadConfig } = await import('../../src/config/load.ts');
  const loaded = await loadConfig(paths, { ...(namespace === undefined ? {} : { namespace }), meshConfig, leaveOut: true });
  return [...objectItems('config', loaded.resources, () => true), problemsItem(loaded), findingsItem('config/findings.json', loaded)];
}

/** Loads a cluster's objects as configuration. */
export async function loadObjects(besides: ConfigSource): Promise<LoadResult> {
  const { loadConfig } = await import('../../src/config/load.ts');
  return loadConfig([], { besides, leaveOut: true });
}

/** Applications' own data: Secrets, and ConfigMaps but for the mesh's. */
const isData = ({ kind, metadata: { name } }: Resource): boolean =>
  kind === 'Secret' || (kind === 'ConfigMap' && !/^istio(?:-|$)/.test(name));

/** One file for each namespace and kind. Secrets are never among them, nor are ConfigMaps besides the mesh's. */
export function objectItems(folder: string, resources: readonly Resource[], isWanted: (resource: Resource) => boolean): ReportItem[] {
  const wanted = resources.filter((resource) => !isData(resource) && isWanted(resource));
  const groups = Map.groupBy(wanted, ({ metadata, kind, group }) => {
    const file = group === 'gateway.networking.k8s.io' && kind === 'Gateway' ? 'KubernetesGateway' : kind;
    return `${folder}/${metadata.namespace || 'cluster'}/${file}.json`;
  });
  return [...groups].map(([path, objects]) => ({
    path,
    what: `${objects.length === 1 ? '1 object' : `${objects.length} objects`}`,
    collect: async () => json(objects.map(plain)),
  }));
}

/** `spec` of kinds without one is the whole object. */
function plain({ apiVersion, kind, metadata, spec, status, source }: Resource): object {
  const at = formatPosition(source.positionOf(['metadata', 'name']));
  const whole = typeof spec === 'object' && spec !== null && 'kind' in spec && 'metadata' in spec;
  return { at, apiVersion, kind, metadata, ...(whole ? withoutHead(spec) : { spec }), ...(status === undefined ? {} : { status }) };
}

function withoutHead(object: object): object {
  const { apiVersion, kind, metadata, ...rest } = object as Record<string, unknown>;
  return rest;
}

function problemsItem({ problems, files }: LoadResult): ReportItem {
  return {
    path: 'config/problems.json',
    what: 'what is wrong with the files',
    collect: async () => json({ files, problems }),
  };
}

/** What `analyze` finds. */
export function findingsItem(path: string, loaded: LoadResult, complete = false): ReportItem {
  return {
    path,
    what: 'findings of analyze',
    async collect() {
      const { analyze } = await import('../../src/analysis/analyze.ts');
      const { findings, suppressed, unchecked } = await analyze(loaded, { complete });
      return json({ findings, suppressed, unchecked });
    },
  };
}
