import { type RequestOptions, request } from 'node:https';
import { apiFailure, unreachable } from './api-error.ts';
import type { ClusterAccess } from './kube-config.ts';
import { podPath, streamError } from './stream-error.ts';
import type { StreamLimits } from './web-socket.ts';

export interface LogChoice {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The last so many lines. */
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  /** Of the container that ran before this one. */
  readonly previous?: boolean | undefined;
  /** All that is kept, counted from the end. */
  readonly maxBytes: number;
}

/**
 * What a container has said: its last `maxBytes` bytes, and whether there was more. Throws E_CLUSTER_FORBIDDEN (get pods/log), E_POD_UNREACHABLE, E_CLUSTER_UNREACHABLE.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (read log)
 */
export async function podLogs(
  access: ClusterAccess,
  at: LogChoice,
  { signal, timeoutMs }: StreamLimits,
): Promise<{ text: string; cut: boolean }> {
  const query = new URLSearchParams({ container: at.container, timestamps: 'true' });
  if (at.tailLines !== undefined) query.set('tailLines', String(at.tailLines));
  if (at.sinceSeconds !== undefined) query.set('sinceSeconds', String(Math.max(1, Math.ceil(at.sinceSeconds))));
  if (at.previous) query.set('previous', 'true');
  const path = `${podPath(at)}/log?${query}`;
  const options: RequestOptions = { headers: { 'user-agent': 'fairlead' } };
  await access.authorize(options);
  const deadline = AbortSignal.timeout(timeoutMs);
  options.signal = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    return await new Promise((resolve, reject) => {
      const sent = request(new URL(access.server + path), options, async (answer) => {
        try {
          // A log that grows faster than it is read must not fill the memory: the oldest goes first.
          const chunks: Buffer[] = [];
          let size = 0;
          let cut = false;
          for await (const chunk of answer as AsyncIterable<Buffer>) {
            chunks.push(chunk);
            size += chunk.length;
            while (size - (chunks[0]?.length ?? 0) >= at.maxBytes) {
              size -= chunks.shift()?.length ?? 0;
              cut = true;
            }
          }
          const status = answer.statusCode ?? 0;
          const whole = Buffer.concat(chunks);
          if (status !== 200) return reject(apiFailure(access, { status, text: whole.toString('utf8'), path, method: 'GET', answer }));
          resolve({ text: whole.subarray(-at.maxBytes).toString('utf8'), cut: cut || whole.length > at.maxBytes });
        } catch (error) {
          reject(unreachable(access, error as Error));
        }
      });
      sent.on('error', (error) => reject(unreachable(access, error)));
      sent.end();
    });
  } catch (error) {
    if (deadline.aborted) throw unreachable(access, new Error(`no answer within ${timeoutMs / 1000} s`));
    throw streamError(error as Error, at, 'pods/log');
  }
}
