/** How commands talk to the proxy of a pod: an agent's API or Envoy's admin API, through a forwarded port or a command in its container. */
import { Agent as HttpAgent } from 'node:http';
import type { Duplex } from 'node:stream';
import { FairleadError } from '../../src/errors.ts';
import type { ClusterAccess } from '../../src/kubernetes/kube-config.ts';
import type { PodFacts } from '../../src/kubernetes/pods.ts';
import type { AgentClient } from '../client.ts';
import { exchange, type HttpAnswer, type HttpTarget } from '../http-client.ts';
import { proxyContainer } from './proxy-container.ts';

export interface PodRoute {
  readonly via: 'port-forward' | 'exec';
  /** Of the proxy's admin API in the pod. */
  readonly port: number;
  /** Milliseconds, for each question. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What commands ask of the proxy of a pod. */
export type PodClient = Pick<AgentClient, 'address' | 'get' | 'getJson' | 'postText'> & {
  /** Whatever the answer is. Throws E_POD_UNREACHABLE and the cluster's errors. */
  ask(method: 'GET' | 'POST', path: string): Promise<HttpAnswer>;
};

/** More than any dump has. */
const EXEC_BYTES = 512 * 1024 * 1024;

/** A client of the proxy in a pod. Nothing is opened before it is asked. Throws E_POD_UNREACHABLE when the pod is not there to be asked. */
export function podClient(access: ClusterAccess, pod: PodFacts, route: PodRoute): PodClient {
  const name = `${pod.name}.${pod.namespace}`;
  if (pod.phase !== 'Running')
    throw new FairleadError(
      'E_POD_UNREACHABLE',
      `the pod ${pod.namespace}/${pod.name} does not run: it is ${pod.phase}${pod.reason ? ` (${pod.reason})` : ''}`,
      { next: `See its events: kubectl describe pod -n ${pod.namespace} ${pod.name}` },
    );
  const ask = route.via === 'exec' ? byExec(access, pod, route) : byPortForward(access, pod, route);
  const call = async (method: 'GET' | 'POST', path: string): Promise<HttpAnswer> => {
    const answer = await ask(method, path);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const said = whatItSaid(answer);
    throw new FairleadError('E_POD_UNREACHABLE', `the proxy of ${name} answered ${answer.status} to ${path.split('?')[0]}: ${said}`, {
      next: `See whether port ${route.port} of the pod is its proxy's admin API (--proxy-admin-port).`,
    });
  };
  return {
    address: name,
    ask,
    get: (path) => call('GET', path),
    getJson: async <T>(path: string) => parsed(await call('GET', path), name, path) as T,
    postText: async (path) => (await call('POST', path)).body.toString('utf8'),
  };
}

/** An agent's error is an object with a message; Envoy's is text. */
function whatItSaid({ body }: HttpAnswer): string {
  const text = body.toString('utf8').trim();
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return text.split('\n')[0]?.slice(0, 120) ?? '';
  }
}

function parsed({ body }: HttpAnswer, name: string, path: string): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FairleadError('E_POD_UNREACHABLE', `what ${name} answers to ${path} is not JSON: ${text.slice(0, 80)}`, { cause });
  }
}

/** One forwarded connection for each question: nothing is left open that would keep a command alive. */
function byPortForward(access: ClusterAccess, { namespace, name: pod }: PodFacts, route: PodRoute): PodClient['ask'] {
  const { port, timeoutMs } = route;
  const agent = new HttpAgent({ keepAlive: false, maxSockets: 4 });
  agent.createConnection = (_options, done) => {
    import('../../src/kubernetes/port-forward.ts')
      .then(({ openPortForward }) => openPortForward(access, { namespace, pod, port }, { signal: route.signal, timeoutMs }))
      .then(
        (stream) => done?.(null, asSocket(stream)),
        (error: Error) => done?.(error, undefined as never),
      );
    return undefined;
  };
  return async (method, path) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = route.signal === undefined ? deadline : AbortSignal.any([route.signal, deadline]);
    const target: HttpTarget = { address: pod, options: { host: '127.0.0.1', port, agent, signal } };
    try {
      return await exchange(target, method, path, undefined, timeoutMs);
    } catch (error) {
      route.signal?.throwIfAborted();
      if (error instanceof FairleadError) throw error;
      const why = deadline.aborted ? `no whole answer within ${timeoutMs / 1000} s` : (error as Error).message;
      throw new FairleadError('E_POD_UNREACHABLE', `the proxy of ${namespace}/${pod} cannot be asked: ${why}`, {
        next: 'See whether the pod runs and its proxy is alive; --timeout gives it longer.',
        cause: error,
      });
    }
  };
}

/** What node:http expects of a socket besides a stream. */
function asSocket(stream: Duplex): Duplex {
  const itself = (): Duplex => stream;
  return Object.assign(stream, { setTimeout: itself, setNoDelay: itself, setKeepAlive: itself, ref: itself, unref: itself });
}

/**
 * Where ports may not be forwarded: pilot-agent and fairlead have a command each that asks the proxy beside them. It prints the body alone,
 * and fails when the answer is no success.
 */
function byExec(access: ClusterAccess, pod: PodFacts, { timeoutMs, signal }: PodRoute): PodClient['ask'] {
  return async (method, path) => {
    const { container, isFairlead } = proxyContainer(pod);
    const command = isFairlead
      ? ['fairlead', 'agent', 'request', method, path]
      : ['pilot-agent', 'request', method, path.replace(/^\//, '')];
    const { execInPod } = await import('../../src/kubernetes/exec.ts');
    const at = { namespace: pod.namespace, pod: pod.name, container, command };
    const { stdout, stderr, exitCode } = await execInPod(access, at, { signal, timeoutMs, maxBytes: EXEC_BYTES });
    const status = exitCode === 0 ? 200 : Number(/\b([45]\d\d)\b/.exec(stderr)?.[1] ?? 502);
    return { status, contentType: '', body: exitCode === 0 ? stdout : Buffer.from(stderr) };
  };
}
