/** Requests to one cluster's API server: answers as JSON, watches as events. https://kubernetes.io/docs/reference/using-api/api-concepts/ */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request as requestHttps } from 'node:https';
import { apiFailure, unreachable } from './api-error.ts';
import type { ClusterAccess } from './kube-config.ts';

/** What an API server says of an object that is watched. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: Record<string, unknown>;
}

/** How a request is made. */
export interface RequestMore {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Until the answer begins, in milliseconds. */
  timeoutMs?: number;
}

export interface ApiClient {
  /** The context's name. */
  readonly context: string;
  readonly server: string;
  /** The context's namespace. */
  readonly namespace: string;
  /** The answer's body. Throws E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED and `ApiStatusError`. */
  request(path: string, more?: RequestMore): Promise<unknown>;
  /**
   * Begins a watch; resolves when the API server has accepted it. Throws as `request` does.
   * @param silenceMs a watch that says nothing for so long is taken for dead: it ends then, as when the API server ends it
   */
  watch(path: string, options: { signal: AbortSignal; silenceMs: number }): Promise<AsyncIterable<WatchEvent>>;
  /** Ends connections that are kept. */
  close(): void;
}

const ANSWER_MS = 30_000;

/** A client of the cluster that `access` describes. */
export function createApiClient(access: ClusterAccess): ApiClient {
  // Watches hold a connection each; the others are reused.
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 32 });

  async function send(path: string, more: RequestMore & { accept: string }): Promise<IncomingMessage> {
    const url = new URL(access.server + path);
    const body = more.body === undefined ? undefined : Buffer.from(JSON.stringify(more.body));
    const options: RequestOptions = {
      method: more.method ?? 'GET',
      headers: {
        accept: more.accept,
        'user-agent': 'fairlead',
        ...(body ? { 'content-type': more.contentType ?? 'application/json', 'content-length': String(body.length) } : {}),
      },
    };
    await access.authorize(options);
    if (!access.proxied) options.agent = agent;
    if (url.protocol === 'http:') return fail(new Error('it is not asked without TLS'));
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = requestHttps(url, { ...options, ...(more.signal ? { signal: more.signal } : {}) }, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      const timeoutMs = more.timeoutMs ?? ANSWER_MS;
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
      sent.on('socket', (socket) => socket.setKeepAlive(true, 15_000));
      sent.on('error', (error) => {
        clearTimeout(timer);
        reject(unreachable(access, error));
      });
      sent.end(body);
    });
  }

  const fail = (error: Error): never => {
    throw unreachable(access, error);
  };

  async function readAll(answer: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of answer) chunks.push(chunk as Buffer);
    } catch (error) {
      fail(error as Error);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  return {
    context: access.context,
    server: access.server,
    namespace: access.namespace,
    async request(path, more = {}) {
      const answer = await send(path, { ...more, accept: 'application/json' });
      const text = await readAll(answer);
      const status = answer.statusCode ?? 0;
      if (status < 200 || status > 299) throw apiFailure(access, { status, text, path, method: more.method ?? 'GET', answer });
      return parse(text, () => fail(new Error(`${path} was answered with something that is not JSON`)));
    },
    async watch(path, { signal, silenceMs }) {
      const answer = await send(path, { signal, accept: 'application/json' });
      const status = answer.statusCode ?? 0;
      if (status !== 200) throw apiFailure(access, { status, text: await readAll(answer), path, method: 'GET', answer });
      return eventsOf(answer, silenceMs, (error) => unreachable(access, error));
    },
    close: () => agent.destroy(),
  };
}

function parse(text: string, otherwise: () => never): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise();
  }
}

/** One JSON object a line. Ends when the API server ends the watch, or when it is silent; rejects when it is cut. */
async function* eventsOf(answer: IncomingMessage, silenceMs: number, asError: (error: Error) => Error): AsyncGenerator<WatchEvent> {
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    answer.destroy();
  }, silenceMs);
  answer.setEncoding('utf8');
  let rest: string[] = [];
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      timer.refresh();
      let start = 0;
      for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
        const line = rest.join('') + chunk.slice(start, end);
        rest = [];
        start = end + 1;
        if (line !== '') yield JSON.parse(line) as WatchEvent;
      }
      if (start < chunk.length) rest.push(chunk.slice(start));
    }
  } catch (error) {
    if (!silent) throw asError(error as Error);
  } finally {
    clearTimeout(timer);
    answer.destroy();
  }
}
