/** How commands talk to an agent. */

import { existsSync } from 'node:fs';
import { FairleadError } from '../src/errors.ts';
import { defaultDataDirectory } from './data-directory.ts';
import { exchange, type HttpAnswer, type HttpTarget, httpTarget, streamLines } from './http-client.ts';
import { socketsOf } from './socket-paths.ts';

export interface AgentClient {
  readonly address: string;
  /** Whole answers, 2xx only. Throws E_AGENT_UNREACHABLE, E_PROXY_UNKNOWN (with the names there are). */
  get(path: string): Promise<HttpAnswer>;
  getJson<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown, timeoutMs?: number): Promise<T>;
  /** POST without a body to an endpoint of Envoy's admin API that answers text. */
  postText(path: string): Promise<string>;
  /** Lines of JSON until the agent ends. Returns the function that ends it. */
  stream(path: string, on: { open?(): void; line(value: unknown): void; ended(error?: Error): void }): () => void;
}

/** This node's agent: the Unix socket of the default data directory when it is there, else port 15000. */
export function defaultAgentAddress(): string {
  const socket = socketsOf(defaultDataDirectory()).agent;
  return existsSync(socket) ? `unix:${socket}` : 'http://127.0.0.1:15000';
}

/** @param address `unix:PATH` or `http://HOST:PORT`; undefined: this node's agent */
export function agentClient(address: string | undefined): AgentClient {
  const at = address ?? defaultAgentAddress();
  const target = httpTarget(at);
  if (!target)
    throw new FairleadError('E_USAGE', `${JSON.stringify(at)} is not an address of an agent`, {
      next: 'Write http://HOST:PORT or unix:PATH.',
    });

  async function call(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<HttpAnswer> {
    const answer = await exchange(target as HttpTarget, method, path, body, timeoutMs).catch((error: Error) => {
      throw new FairleadError('E_AGENT_UNREACHABLE', `no agent answers at ${at}: ${error.message}`, {
        next: 'Start one with `fairlead up DIR` or `fairlead agent run`, or name another with --agent.',
        cause: error,
      });
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer, at);
  }

  return {
    address: at,
    get: (path) => call('GET', path),
    getJson: async <T>(path: string) => parsed(await call('GET', path), at) as T,
    post: async <T>(path: string, body?: unknown, timeoutMs?: number) => parsed(await call('POST', path, body ?? {}, timeoutMs), at) as T,
    postText: async (path) => (await call('POST', path)).body.toString('utf8'),
    stream: (path, on) => streamLines(target, path, on),
  };
}

function parsed({ body, status }: HttpAnswer, at: string): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FairleadError('E_AGENT_UNREACHABLE', `what listens at ${at} is not an agent: it answered ${status} ${text.slice(0, 80)}`, {
      cause,
    });
  }
}

function refusal(answer: HttpAnswer, at: string): FairleadError {
  const text = answer.body.toString('utf8');
  try {
    const { error } = JSON.parse(text) as { error: { code?: string; message: string; known?: string[] } };
    if (error.code === 'E_PROXY_UNKNOWN') {
      return new FairleadError('E_PROXY_UNKNOWN', error.message, {
        next: error.known?.length ? `There are: ${error.known.join(', ')}.` : 'Nothing in the configuration runs on this node.',
      });
    }
    return new FairleadError('E_AGENT_UNREACHABLE', `the agent at ${at} answered ${answer.status}: ${error.message}`);
  } catch {
    return new FairleadError(
      'E_AGENT_UNREACHABLE',
      `what listens at ${at} is not an agent: it answered ${answer.status} ${text.slice(0, 80)}`,
    );
  }
}
