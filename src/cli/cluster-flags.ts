/** The flags of commands that read a cluster, in place of files or with files over it. */
import * as Flags from '@oclif/core/flags';
import { isNotTaken } from '../config/source-object.ts';
import type { ConfigSource } from '../config/sources/config-source.ts';
import type { Problem } from '../errors.ts';

/** The flags, less those that a command has already. */
export const clusterFlags = {
  kubernetes: Flags.boolean({
    char: 'k',
    description: 'read the cluster of the kubeconfig; what -f names besides goes before what the cluster has of the same name',
  }),
  context: Flags.string({
    helpValue: 'NAME',
    description: 'the kubeconfig’s context [default: its current one]',
    dependsOn: ['kubernetes'],
  }),
  'all-namespaces': Flags.boolean({
    char: 'A',
    description: 'all namespaces of the cluster, or an error; without it, those that may be read',
    dependsOn: ['kubernetes'],
  }),
  'istio-namespace': Flags.string({
    char: 'i',
    helpValue: 'NAMESPACE',
    description: 'where the ConfigMap istio is [default: istio-system]',
    dependsOn: ['kubernetes'],
  }),
};

/** The flags of commands that read several clusters. */
export const clustersFlags = {
  ...clusterFlags,
  context: Flags.string({
    helpValue: 'NAME',
    multiple: true,
    multipleNonGreedy: true,
    description:
      'the kubeconfig’s context [default: its current one]; each further --context adds the services and endpoints of that cluster',
    dependsOn: ['kubernetes'],
  }),
  'cluster-id': Flags.string({
    helpValue: 'NAME',
    env: 'CLUSTER_ID',
    description: 'name of the (first) cluster among several, as other clusters’ remote secrets have it [default: Kubernetes]',
  }),
};

/** What `clusterFlags` gave. */
export interface ClusterFlags {
  kubernetes?: boolean | undefined;
  context?: string | undefined;
  'all-namespaces'?: boolean | undefined;
  'istio-namespace'?: string | undefined;
  namespace?: string | undefined;
}

/** What `clustersFlags`, or `clusterFlags`, gave. */
export interface ClustersFlags extends Omit<ClusterFlags, 'context'> {
  context?: string | readonly string[] | undefined;
  'cluster-id'?: string | undefined;
}

/** What the flags say of a cluster. */
export function clusterName(flags: ClustersFlags): {
  /** The first one. */
  context: string | undefined;
  contexts: readonly string[];
  clusterId: string | undefined;
  namespace: string | undefined;
  allNamespaces: boolean | undefined;
  istioNamespace: string | undefined;
} {
  const contexts = [...new Set([flags.context ?? []].flat())];
  return {
    context: contexts[0],
    contexts,
    clusterId: flags['cluster-id'],
    namespace: flags.namespace,
    allNamespaces: flags['all-namespaces'],
    istioNamespace: flags['istio-namespace'],
  };
}

/** A cluster that is read once, however often it is asked for. */
export interface ClusterSource extends ConfigSource {
  /** Whether all of it could be read; false before it was. */
  complete(): boolean;
}

/**
 * The cluster that the flags name; undefined without `--kubernetes`. What could not be read is told to `note`. Reading it throws
 * E_KUBECONFIG, E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN.
 */
export function clusterSource(
  flags: ClustersFlags,
  more: { forAnalysis?: boolean; note?: (text: string) => void } = {},
): ClusterSource | undefined {
  if (!flags.kubernetes) return undefined;
  const note = more.note ?? ((text) => process.stderr.write(`note: ${text}\n`));
  let reading: Promise<{ objects: NonNullable<Awaited<ReturnType<ConfigSource['read']>>['objects']>; complete: boolean }> | undefined;
  let complete = false;
  const { contexts } = clusterName(flags);
  const read = async () => {
    const { readCluster } = await import('../kubernetes/cluster-source.ts');
    const cluster = await readCluster({ ...clusterName(flags), forAnalysis: more.forAnalysis });
    for (const text of cluster.notes) note(text);
    complete = cluster.complete;
    return cluster;
  };
  return {
    name: contexts.length === 0 ? 'the cluster' : `the cluster${contexts.length > 1 ? 's' : ''} ${contexts.join(', ')}`,
    async read() {
      reading ??= read();
      return { files: [], objects: (await reading).objects, problems: [] };
    },
    complete: () => complete,
  };
}

/** What is read, in words. */
export function sourceName(paths: readonly string[], besides: ConfigSource | undefined): string {
  return [...paths, ...(besides === undefined ? [] : [besides.name])].join(', ');
}

/** One line about objects of a cluster that are wrong, and therefore left out; undefined when none is. */
export function wrongObjects(problems: readonly Problem[]): string | undefined {
  const wrong = problems.filter(isNotTaken);
  const [first] = wrong;
  if (first === undefined) return undefined;
  const more = new Set(wrong.map(({ position }) => position?.file)).size - 1;
  return `${first.position?.file}: ${first.message}${more > 0 ? `, and ${more} more objects are left out; \`fairlead validate -k\` lists them` : ''}`;
}
