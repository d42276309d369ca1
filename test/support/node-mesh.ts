/**
 * A node of a cluster for tests: a real API server, the CA, the node's agent, and pods, each an agent of its own in a network namespace. All
 * are real processes with the service accounts, tokens and rights that an installation gives them; only kubelet's part is played.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCaCluster } from '../../agent/ca/cluster.ts';
import { initCa } from '../../agent/ca/init.ts';
import { patternOf } from '../../agent/ca/policy-of.ts';
import { type CaServer, serveCa } from '../../agent/ca/serve.ts';
import { createLog } from '../../agent/log.ts';
import { manifestsOf } from '../../src/install/manifests.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { bin, type Running, startFairlead } from './cli.ts';
import { createDefinitions, namespaceOf, until } from './cluster-objects.ts';
import { clientOf, collectionOf, type KubeApi, type KubeObject } from './kube-api.ts';
import { type Host, type Network, PROXY_USER, startNetwork } from './network.ts';

export const SYSTEM = 'fairlead-system';
export const AUDIENCE = 'fairlead-agent';
const DAY = 86_400_000;

export interface Pod {
  readonly object: KubeObject;
  readonly host: Host;
  readonly data: string;
  readonly tokenFile: string;
  /** Of its agent's API. */
  readonly apiSocket: string;
  /** Starts its agent; `more` flags come last. */
  start(...more: string[]): PodAgent;
}

export interface PodAgent {
  readonly child: ChildProcess;
  log(): string;
  /** Ends it as kubelet does, or by a signal of one's own. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface NodeMesh {
  readonly network: Network;
  readonly folder: string;
  /** The CA's trust bundle, as its ConfigMap is mounted. */
  readonly roots: string;
  readonly socket: string;
  /** Starts the agent of the node. */
  startNode(env?: Record<string, string>, ...more: string[]): Promise<Running>;
  addPod(
    name: string,
    account: string,
    options: { labels: Record<string, string>; engine: 'embedded' | 'envoy'; node?: string; captured?: boolean },
  ): Promise<Pod>;
  /** A token of a pod's account that is bound to it. */
  tokenFor(pod: KubeObject, audience?: string): Promise<string>;
  /** What the CA has logged. */
  caLog(): string;
  close(): Promise<void>;
}

/** @param envoy path of Envoy's binary */
export async function startNodeMesh(api: KubeApi, envoy: string | undefined): Promise<NodeMesh> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-node-'));
  chmodSync(folder, 0o755);
  const network = await startNetwork();
  const lines: string[] = [];
  const running: Running[] = [];
  const agents = new Set<PodAgent>();
  let people = 0;

  const tokenFor = async (pod: KubeObject, audience?: string): Promise<string> => {
    const { namespace, name, uid } = pod.metadata;
    const account = (pod['spec'] as { serviceAccountName: string }).serviceAccountName;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
    const { status } = (await api.admin.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      method: 'POST',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { boundObjectRef, ...(audience ? { audiences: [audience] } : {}) },
      },
    })) as { status: { token: string } };
    return status.token;
  };
  const as = async (pod: KubeObject): Promise<string> => api.kubeconfigFor(`who-${people++}`, await tokenFor(pod));
  const account = (namespace: string, name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
  });
  const podObject = (namespace: string, name: string, serviceAccountName: string, nodeName: string, metadata: object = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...metadata },
    spec: { serviceAccountName, nodeName, containers: [{ name: 'app', image: 'app:1' }] },
  });

  await createDefinitions(api);
  for (const name of [SYSTEM, 'istio-system', 'shop']) await api.create(namespaceOf(name));
  const settings = resolveSettings({ profile: 'default', namespace: SYSTEM, definitions: false }, { revision: '', version: '1.2.3' });
  const access = /^(?:Role|ClusterRole|ServiceAccount|ConfigMap)/;
  for (const object of manifestsOf(settings, '1.2.3')) if (access.test(object.kind)) await api.create(object as KubeObject);
  for (const name of ['node-1', 'node-2'])
    await api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'topology.kubernetes.io/zone': 'z1' } } });

  const directory = join(folder, 'ca');
  await initCa(directory, {
    trustDomain: 'cluster.local',
    algorithm: 'ec-p256',
    rootLifeMs: 100 * DAY,
    intermediateLifeMs: 50 * DAY,
    passphrase: undefined,
  });
  const caPod = await api.create(podObject(SYSTEM, 'ca-1', 'fairlead-ca', 'node-2'));
  const caClient = clientOf(await as(caPod));
  const cluster = createCaCluster({
    client: caClient,
    audience: 'istio-ca',
    rootsConfigMap: { namespace: SYSTEM, name: 'fairlead-ca-roots' },
    signerName: 'fairlead.dev/mesh',
    nodeAgents: [patternOf(`${SYSTEM}/fairlead-agent*`)],
  });
  const log = createLog('json', 'info', (line) => lines.push(line));
  const ca: CaServer = await serveCa(directory, { host: '127.0.0.1', port: 0, names: [], passphrase: undefined, cluster, log });

  const mounted = join(folder, 'roots');
  mkdirSync(mounted);
  const roots = join(mounted, 'root-cert.pem');
  await until('the roots are published', async () => {
    const { data } = await (api.admin.request(`/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-ca-roots`) as Promise<KubeObject>);
    const files = data as Record<string, string> | undefined;
    for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(mounted, name), text);
    return files?.['root-cert.pem'] !== undefined;
  });
  const agentPod = await api.create(podObject(SYSTEM, 'agent-1', 'fairlead-agent', 'node-1'));
  mkdirSync(join(folder, 'run'), { mode: 0o755 });
  const socket = join(folder, 'run', 'pods.sock');

  return {
    network,
    folder,
    roots,
    socket,
    tokenFor,
    caLog: () => lines.join(''),
    async startNode(env = {}, ...more) {
      const own = ['--pod-socket', socket, '--ca', 'kubernetes', '--ca-roots', roots, '--data', join(folder, 'node')];
      const ports = ['--api-port', '0', '--metrics-port', '0', '--metrics-host', '127.0.0.1'];
      const agent = startFairlead(['agent', 'run', '-k', ...own, ...ports, ...more], {
        KUBECONFIG: await as(agentPod),
        NODE_NAME: 'node-1',
        ...env,
      });
      running.push(agent);
      await until('the node’s agent runs', () => /the agent runs/.test(agent.err()), 60_000).catch((error: Error) => {
        throw new Error(`${error.message}\n${agent.err()}`);
      });
      return agent;
    },
    async addPod(name, sa, { labels, engine, node = 'node-1', captured = false }) {
      const host = await network.add(name);
      await api.create(account('shop', sa)).catch(() => undefined);
      const explicit = { 'fairlead.dev/http-proxy-port': '15080', 'sidecar.istio.io/interceptionMode': 'NONE' };
      const annotations = captured ? { 'sidecar.istio.io/interceptionMode': 'REDIRECT' } : explicit;
      const marked = { labels: { ...labels, 'security.istio.io/tlsMode': 'istio' }, annotations };
      const object = await api.create(podObject('shop', name, sa, node, marked));
      await api.admin.request(`${collectionOf(object)}/${name}/status`, {
        method: 'PATCH',
        body: { status: { phase: 'Running', podIP: host.v4, podIPs: [{ ip: host.v4 }], conditions: [{ type: 'Ready', status: 'True' }] } },
        contentType: 'application/merge-patch+json',
      });
      const data = join(folder, name);
      mkdirSync(data, { mode: 0o700 });
      const tokenFile = join(data, 'token');
      writeFileSync(tokenFile, await tokenFor(object, AUDIENCE), { mode: 0o600 });
      for (const path of [data, tokenFile]) chownSync(path, PROXY_USER, PROXY_USER);
      const env = [`FAIRLEAD_ENGINE=${engine}`, 'NO_COLOR=1', `HOME=${data}`, ...(envoy ? [`ENVOY_PATH=${envoy}`] : [])];
      return {
        object,
        host,
        data,
        tokenFile,
        apiSocket: join(data, 'agent', 'agent.sock'),
        start(...more) {
          const own = ['--node-agent', `unix:${socket}`, '--node-agent-token-file', tokenFile, '--data', join(data, 'agent')];
          const child = host.start('proxy', 'env', ...env, process.execPath, bin, 'agent', 'run', ...own, ...more);
          let text = '';
          for (const stream of [child.stdout, child.stderr])
            stream?.on('data', (piece) => {
              text += piece;
            });
          const agent: PodAgent = {
            child,
            log: () => text,
            async stop(signal = 'SIGTERM') {
              agents.delete(agent);
              if (child.exitCode !== null || child.signalCode !== null) return;
              child.kill(signal);
              await once(child, 'exit');
            },
          };
          agents.add(agent);
          return agent;
        },
      };
    },
    async close() {
      await Promise.all([...agents].map((agent) => agent.stop()));
      for (const { child, ended } of running) {
        child.kill('SIGTERM');
        await ended;
      }
      await ca.close();
      caClient.close();
      await network.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
