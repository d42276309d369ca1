/** WebSockets by way of an API server: what a pod's subresources for streams are spoken over. Loaded late, with the package that speaks them. */
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { WebSocket } from 'ws';
import { FairleadError } from '../errors.ts';
import { apiFailure, unreachable } from './api-error.ts';
import type { ClusterAccess } from './kube-config.ts';

/** How long something may take, and what ends it early. */
export interface StreamLimits {
  /** Ends it, whatever has come. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** Of a refusal, which is a small JSON object. */
const REFUSAL_BYTES = 64 * 1024;

/**
 * Opens a WebSocket; resolves when the other side has agreed to one of the protocols. Throws E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED,
 * E_CLUSTER_FORBIDDEN, E_POD_UNREACHABLE, and ApiStatusError with the API server's own reason.
 *
 * @param path of the API server, with its query
 */
export async function openWebSocket(
  access: ClusterAccess,
  path: string,
  protocols: readonly string[],
  { signal, timeoutMs }: StreamLimits,
): Promise<WebSocket> {
  signal?.throwIfAborted();
  const options: RequestOptions = { headers: { 'user-agent': 'fairlead' } };
  await access.authorize(options);
  const url = new URL(access.server + path);
  if (url.protocol !== 'https:') throw unreachable(access, new Error('it is not asked without TLS'));
  url.protocol = 'wss:';
  const { headers, ...tls } = options as RequestOptions & { headers: Record<string, string> };
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, [...protocols], { ...tls, headers, perMessageDeflate: false, handshakeTimeout: timeoutMs });
    let refused = false;
    const settle = (): void => {
      signal?.removeEventListener('abort', aborted);
      clearTimeout(timer);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const aborted = (): void => {
      fail(signal?.reason as Error);
      socket.terminate();
    };
    const timer = setTimeout(() => {
      fail(late(path, timeoutMs));
      socket.terminate();
    }, timeoutMs);
    signal?.addEventListener('abort', aborted, { once: true });
    socket.on('unexpected-response', (_request, answer: IncomingMessage) => {
      refused = true;
      refusalText(answer).then((text) => {
        fail(apiFailure(access, { status: answer.statusCode ?? 0, text, path, method: 'GET', answer }));
        socket.terminate();
      });
    });
    // Listened to for as long as it lives: an error without a listener would end the process.
    socket.on('error', (error: Error) => {
      if (!refused) fail(unreachable(access, error));
    });
    socket.once('open', () => {
      settle();
      resolve(socket);
    });
  });
}

function late(path: string, timeoutMs: number): FairleadError {
  return new FairleadError('E_POD_UNREACHABLE', `${path.split('?')[0]} was not opened within ${timeoutMs / 1000} s`, {
    next: 'See whether the kubelet of its node can be reached by the API server, or give it longer with --timeout.',
  });
}

async function refusalText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > REFUSAL_BYTES) break;
    }
  } catch {
    // What has come says enough.
  }
  return Buffer.concat(chunks).toString('utf8');
}
