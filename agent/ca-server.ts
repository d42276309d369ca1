/** The CA as a server, for commands. */
import type { CaCluster, CaClusterOptions } from './ca/cluster.ts';

export { caIdentity } from './ca/ca-identity.ts';
export { type CaServer, type ServeOptions, serveCa } from './ca/serve.ts';

/** The cluster of a kubeconfig, or of the pod that this runs in. Throws E_KUBECONFIG. @param rootsConfigMap in the namespace of the context unless it is NAMESPACE/NAME */
export async function openCaCluster(
  options: Pick<CaClusterOptions, 'audience' | 'signerName'> & {
    context: string | undefined;
    rootsConfigMap: string | undefined;
    /** `NAMESPACE/NAME`, `*` for anything within a segment. */
    nodeAgents: readonly string[];
  },
): Promise<CaCluster> {
  const [{ openKubeConfig }, { createApiClient }, { createCaCluster }, { patternOf }] = await Promise.all([
    import('../src/kubernetes/kube-config.ts'),
    import('../src/kubernetes/client.ts'),
    import('./ca/cluster.ts'),
    import('./ca/policy-of.ts'),
  ]);
  const client = createApiClient(openKubeConfig(options.context));
  const [name = '', namespace = client.namespace] = (options.rootsConfigMap ?? '').split('/').reverse();
  const { audience, signerName } = options;
  const nodeAgents = options.nodeAgents.map(patternOf);
  return createCaCluster({ client, audience, signerName, nodeAgents, rootsConfigMap: name === '' ? undefined : { namespace, name } });
}
