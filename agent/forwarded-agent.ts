/** The API of an agent in a pod, through forwarded ports: for whoever asks it for longer, and listens to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FairleadError } from '../src/errors.ts';
import { createApiClient } from '../src/kubernetes/client.ts';
import { openKubeConfig } from '../src/kubernetes/kube-config.ts';
import { findPod, parsePodTarget } from '../src/kubernetes/pods.ts';
import { openPortForward } from '../src/kubernetes/port-forward.ts';
import { type AgentClient, agentClient } from './client.ts';

/** An agent in a cluster, as the command line names it. */
export interface PodAgent {
  /** `POD[.NAMESPACE]` or `TYPE/NAME[.NAMESPACE]`. */
  pod: string;
  /** undefined: the context’s. */
  namespace: string | undefined;
  /** undefined: the kubeconfig’s current one. */
  context: string | undefined;
  /** Of its API. */
  port: number;
}

const OPEN_MS = 15_000;

/**
 * A client of it. Each connection is one of its own through the API server. Throws E_USAGE, E_KUBECONFIG, E_POD_UNKNOWN, E_POD_UNREACHABLE, E_CLUSTER_*; its
 * questions throw the same, and what `agentClient` throws.
 */
export async function forwardedAgent(at: PodAgent): Promise<AgentClient & { close(): Promise<void> }> {
  const access = openKubeConfig(at.context);
  const api = createApiClient(access);
  const found = await findPod(api, parsePodTarget(at.pod), at.namespace ?? access.namespace).finally(() => api.close());
  const { name, namespace, phase } = found;
  if (phase !== 'Running')
    throw new FairleadError('E_POD_UNREACHABLE', `the pod ${namespace}/${name} does not run: it is ${phase}`, {
      next: `See its events: kubectl describe pod -n ${namespace} ${name}`,
    });
  // Only who runs this may use it.
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-'));
  const path = join(folder, 'agent.sock');
  const open = new Set<Socket>();
  let why: FairleadError | undefined;
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    openPortForward(access, { namespace, pod: name, port: at.port }, { timeoutMs: OPEN_MS }).then(
      (forwarded) => {
        why = undefined;
        forwarded.on('error', (error) => {
          if (error instanceof FairleadError) why = error;
          socket.destroy();
        });
        forwarded.on('end', () => socket.end());
        socket.on('close', () => forwarded.destroy());
        socket.pipe(forwarded).pipe(socket);
      },
      (error: Error) => {
        if (error instanceof FairleadError) why = error;
        socket.destroy();
      },
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  const client = agentClient(`unix:${path}`);
  /** The socket's end says less than why it came. */
  const told = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      throw why !== undefined && error instanceof FairleadError && error.code === 'E_AGENT_UNREACHABLE' ? why : error;
    }
  };
  return {
    address: `${name}.${namespace}`,
    get: (asked) => told(client.get(asked)),
    getJson: (asked) => told(client.getJson(asked)),
    post: (asked, body, timeoutMs) => told(client.post(asked, body, timeoutMs)),
    postText: (asked) => told(client.postText(asked)),
    stream: client.stream,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
