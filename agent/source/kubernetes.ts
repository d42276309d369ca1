/** A cluster as what an agent reads: watched, and read again by the controller after each change. */
import type { ConfigSource } from '../../src/config/sources/config-source.ts';
import { endStep, withSteadyHeap } from '../../src/config/steady-heap.ts';

/** Something that is read besides files, and says when it changed. */
export interface LiveSource {
  readonly source: ConfigSource;
  /** Resolves when everything was read once, or when it is known that this will take longer. */
  start(changed: () => void, note: (text: string, level?: 'info' | 'warning') => void): Promise<void>;
  close(): void;
}

/** Which clusters. */
export interface LiveCluster {
  /** The own one, whose configuration counts, then others; none: the kubeconfig's current one. */
  contexts?: readonly string[] | undefined;
  /** The own one's name among several. */
  clusterId?: string | undefined;
  /** Watched in place of all namespaces when not all may be read. */
  namespace?: string | undefined;
  allNamespaces?: boolean | undefined;
  istioNamespace?: string | undefined;
}

/** What a cluster may take as text is not known before. */
const UNKNOWN_SIZE = Number.POSITIVE_INFINITY;

/** Opens clusters; nothing is asked of them before `start`. Secrets of the own one may name more. Throws E_KUBECONFIG. */
export async function kubernetesSource(choice: LiveCluster): Promise<LiveSource> {
  const [{ openKubeConfig }, { watchClusters }] = await Promise.all([
    import('../../src/kubernetes/kube-config.ts'),
    import('../../src/kubernetes/clusters-watch.ts'),
  ]);
  const [own, ...more] = new Set(choice.contexts ?? []);
  const access = openKubeConfig(own);
  const others = more.map((context) => openKubeConfig(context));
  let watch: ReturnType<typeof watchClusters> | undefined;
  return {
    source: {
      name: others.length === 0 ? `the cluster ${access.context}` : `the clusters ${[access, ...others].map((o) => o.context).join(', ')}`,
      read: async () => watch?.read() ?? { files: [], objects: [], problems: [] },
    },
    async start(changed, note) {
      watch = watchClusters({ ...choice, access, others, followSecrets: true, changed, note });
      const { ready } = watch;
      // As for a large text: nearly all that is listed stays.
      await withSteadyHeap(UNKNOWN_SIZE, () => ready);
      endStep(UNKNOWN_SIZE);
    },
    close: () => watch?.close(),
  };
}
