/** The CA as a server, for commands. */
import type { CaCluster } from './ca/cluster.ts';

export { caIdentity } from './ca/ca-identity.ts';
export { type CaServer, type ServeOptions, serveCa } from './ca/serve.ts';

/** The cluster of a kubeconfig, or of the pod that this runs in. Throws E_KUBECONFIG. @param rootsConfigMap in the namespace of the context unless it is NAMESPACE/NAME */
export async function openCaCluster(options: {
  context: string | undefined;
  audience: string;
  rootsConfigMap: string | undefined;
}): Promise<CaCluster> {
  const [{ openKubeConfig }, { createApiClient }, { createCaCluster }] = await Promise.all([
    import('../src/kubernetes/kube-config.ts'),
    import('../src/kubernetes/client.ts'),
    import('./ca/cluster.ts'),
  ]);
  const client = createApiClient(openKubeConfig(options.context));
  const [name = '', namespace = client.namespace] = (options.rootsConfigMap ?? '').split('/').reverse();
  return createCaCluster({ client, audience: options.audience, rootsConfigMap: name === '' ? undefined : { namespace, name } });
}
