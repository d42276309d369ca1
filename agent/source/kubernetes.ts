/** A cluster as what an agent reads: watched, and read again by the controller after each change. */
import type { ConfigSource } from '../../src/config/sources/config-source.ts';
import { endStep, withSteadyHeap } from '../../src/config/steady-heap.ts';

/** Something that is read besides files, and says when it changed. */
export interface LiveSource {
  readonly source: ConfigSource;
  /** Resolves when everything was read once, or when it is known that this will take longer. */
  start(changed: () => void, note: (text: string) => void): Promise<void>;
  close(): void;
}

/** Which cluster. */
export interface LiveCluster {
  context?: string | undefined;
  /** Watched in place of all namespaces when not all may be read. */
  namespace?: string | undefined;
  allNamespaces?: boolean | undefined;
  istioNamespace?: string | undefined;
}

/** What a cluster may take as text, in UTF-16 units: it is not known before. */
const LARGE = 10_000_000;

/** Opens a cluster; nothing is asked of it before `start`. Throws E_KUBECONFIG. */
export async function kubernetesSource(choice: LiveCluster): Promise<LiveSource> {
  const [{ openKubeConfig }, { watchCluster }] = await Promise.all([
    import('../../src/kubernetes/kube-config.ts'),
    import('../../src/kubernetes/cluster-watch.ts'),
  ]);
  const access = openKubeConfig(choice.context);
  let watch: ReturnType<typeof watchCluster> | undefined;
  return {
    source: {
      name: `the cluster ${access.context}`,
      read: async () => watch?.read() ?? { files: [], objects: [], problems: [] },
    },
    async start(changed, note) {
      watch = watchCluster({ ...choice, access, changed, note });
      const { ready } = watch;
      // As for a large text: nearly all that is listed stays.
      await withSteadyHeap(LARGE, () => ready);
      endStep(LARGE);
    },
    close: () => watch?.close(),
  };
}
