/** The CA as a server, for commands. */
import type { ApiClient } from '../src/kubernetes/client.ts';
import type { CaCluster, CaClusterOptions } from './ca/cluster.ts';
import type { InitOptions } from './ca/init.ts';
import type { ServeOptions } from './ca/open-ca.ts';
import type { SharedPlace } from './ca/shared/change.ts';
import type { Begun } from './ca/shared/init-shared.ts';
import type { SharedCa } from './ca/shared/serve-shared.ts';

export { caIdentity } from './ca/ca-identity.ts';
export type { ServeOptions } from './ca/open-ca.ts';
export { type CaServer, serveCa } from './ca/serve.ts';

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
  const { audience, signerName, rootsConfigMap } = options;
  const nodeAgents = options.nodeAgents.map(patternOf);
  return createCaCluster({
    client,
    audience,
    signerName,
    nodeAgents,
    rootsConfigMap: rootsConfigMap ? placeOf(rootsConfigMap, client.namespace) : undefined,
  });
}

export interface SharedCaOptions extends ServeOptions {
  context: string | undefined;
  /** `[NAMESPACE/]NAME`; in the namespace of the context unless it is named. */
  stateSecret: string;
  name: string;
  advertise: string;
  peerPort: number;
}

/** One of several pods that are one CA. Throws E_KUBECONFIG and as `serveShared`. */
export async function serveSharedCa(directory: string, { context, stateSecret, ...options }: SharedCaOptions): Promise<SharedCa> {
  const { client, place } = await openPlace(context, stateSecret);
  const { serveShared } = await import('./ca/shared/serve-shared.ts');
  return serveShared(directory, { ...options, client, place });
}

/** Begins such a CA, unless there is one. Throws E_KUBECONFIG and as `initShared`. */
export async function initSharedCa(
  directory: string,
  {
    context,
    stateSecret,
    roots,
    ...options
  }: InitOptions &
    Pick<SharedCaOptions, 'context' | 'stateSecret'> & {
      roots: string | undefined;
      ifMissing: boolean;
    },
): Promise<Begun> {
  const { client, place } = await openPlace(context, stateSecret);
  try {
    const { initShared } = await import('./ca/shared/init-shared.ts');
    return await initShared(directory, {
      ...options,
      client,
      place,
      roots: roots === undefined ? undefined : placeOf(roots, client.namespace),
    });
  } finally {
    client.close();
  }
}

async function openPlace(context: string | undefined, typed: string): Promise<{ client: ApiClient; place: SharedPlace }> {
  const [{ openKubeConfig }, { createApiClient }] = await Promise.all([
    import('../src/kubernetes/kube-config.ts'),
    import('../src/kubernetes/client.ts'),
  ]);
  const client = createApiClient(openKubeConfig(context));
  return { client, place: { ...placeOf(typed, client.namespace), context } };
}

function placeOf(typed: string, inNamespace: string): { namespace: string; name: string } {
  const [name = '', namespace = inNamespace] = typed.split('/').reverse();
  return { namespace, name };
}
