/** A cluster with proxies in its pods, for commands that ask them from outside: a real API server, and a real Envoy with Istio's ways behind a kubelet. */
import { fairlead, type Ran } from './cli.ts';
import { namespaceOf } from './cluster-objects.ts';
import { createNode, createPod, type FakeKubelet, startFakeKubelet } from './fake-kubelet.ts';
import { type IstioEnvoy, startIstioEnvoy } from './istio-envoy.ts';
import { type KubeApi, type KubeObject, startKubeApi } from './kube-api.ts';

export interface RemoteCluster {
  readonly api: KubeApi;
  readonly kubelet: FakeKubelet;
  readonly istio: IstioEnvoy;
  /** Runs a command line, its words apart by spaces. */
  run(args: string, kubeconfig?: string): Promise<Ran>;
  stop(): Promise<void>;
}

/** A pod's status. */
export const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };

/** A pod of the namespace shop; `node: 'none'` has none. */
export const podOf = (name: string, more: { app?: string; node?: string; args?: string[]; container?: string } = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app: more.app ?? name } },
  spec: {
    ...(more.node === 'none' ? {} : { nodeName: 'node-1' }),
    containers: [
      { name: 'app', image: 'app' },
      { name: more.container ?? 'istio-proxy', image: 'proxy', ...(more.args ? { args: more.args } : {}) },
    ],
  },
});

/**
 * Pods of the namespace shop: web-6f7d9 of the Deployment web, which is the Envoy; waiting, which has no node; deaf, whose proxy listens nowhere; bare,
 * which has none. Or why there is no such cluster on this machine.
 */
export async function startRemoteCluster(): Promise<RemoteCluster | { missing: string }> {
  const api = await startKubeApi();
  if ('missing' in api) return api;
  const istio = await startIstioEnvoy();
  if ('missing' in istio) {
    await api.stop();
    return istio;
  }
  const kubelet = await startFakeKubelet();
  // What pilot-agent does for its `request`: ask Envoy's admin port.
  const pilotAgent = (command: readonly string[]): string[] | undefined =>
    command[0] === 'pilot-agent' && command[1] === 'request'
      ? ['curl', '-sS', '--fail-with-body', '-X', command[2] as string, `http://127.0.0.1:${istio.adminPort}/${command[3]}`]
      : undefined;
  await createNode(api, 'node-1', kubelet);
  for (const name of ['shop', 'other']) await api.create(namespaceOf(name));
  await createPod(api, podOf('web-6f7d9', { app: 'web' }), ready);
  kubelet.pods.set('shop/web-6f7d9', { ports: { 15000: istio.adminPort }, containers: { 'istio-proxy': { exec: pilotAgent } } });
  await createPod(api, podOf('waiting', { node: 'none' }), { phase: 'Pending', reason: 'Unschedulable' });
  await createPod(api, podOf('deaf'));
  kubelet.pods.set('shop/deaf', { ports: {}, containers: {} });
  await createPod(api, podOf('bare', { container: 'other' }));
  await api.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'app' }] } },
    },
  });
  return {
    api,
    kubelet,
    istio,
    run: (args, kubeconfig = api.kubeconfig) => fairlead(args.split(' '), { env: { KUBECONFIG: kubeconfig } }),
    async stop() {
      await kubelet.close();
      await istio.close();
      await api.stop();
    },
  };
}
