/** Runs a command in a container of a pod, by way of the API server. */
import type { RawData } from 'ws';
import { FairleadError } from '../errors.ts';
import type { ClusterAccess } from './kube-config.ts';
import { bufferOf } from './port-forward.ts';
import { podPath, streamError } from './stream-error.ts';
import { openWebSocket, type StreamLimits } from './web-socket.ts';

export interface PodCommand {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
}

export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number;
}

/** API servers from 1.30 on translate v5 for kubelets of any age; before them, it is the kubelet that answers, in v4. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const [STDOUT, STDERR, STATUS] = [1, 2, 3];

interface Status {
  status?: string;
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
}

/**
 * Runs a command to its end, without standard input. Throws E_POD_UNREACHABLE (no such container, no such program, deadline, more than
 * `maxBytes` of output), E_CLUSTER_FORBIDDEN, E_CLUSTER_UNREACHABLE; the signal's reason when that ends it.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (connect GET requests to exec)
 */
export async function execInPod(
  access: ClusterAccess,
  at: PodCommand,
  { signal, timeoutMs, maxBytes }: StreamLimits & { readonly maxBytes: number },
): Promise<ExecResult> {
  const query = new URLSearchParams({ container: at.container, stdout: 'true', stderr: 'true' });
  for (const word of at.command) query.append('command', word);
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const socket = await openWebSocket(access, `${podPath(at)}/exec?${query}`, PROTOCOLS, { signal: either, timeoutMs }).catch(
    (error: Error) => {
      throw deadline.aborted ? failed(at, `no end within ${timeoutMs / 1000} s`) : streamError(error, at, 'pods/exec');
    },
  );
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let size = 0;
  let status: Status | undefined;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(error);
      socket.terminate();
    };
    const aborted = (): void => fail(deadline.aborted ? failed(at, `no end within ${timeoutMs / 1000} s`) : (signal?.reason as Error));
    either.addEventListener('abort', aborted, { once: true });
    if (either.aborted) aborted();
    socket.on('message', (data: RawData) => {
      const message = bufferOf(data);
      const [channel] = message;
      size += message.length;
      if (size > maxBytes) return fail(failed(at, `it said more than ${maxBytes} bytes`));
      if (channel === STDOUT) out.push(message.subarray(1));
      else if (channel === STDERR) err.push(message.subarray(1));
      else if (channel === STATUS) status = statusOf(message.subarray(1).toString('utf8'));
    });
    socket.on('close', () => {
      either.removeEventListener('abort', aborted);
      if (status === undefined) return reject(failed(at, 'the connection was cut'));
      const exitCode = exitCodeOf(status);
      if (exitCode === undefined) return reject(failed(at, status.message ?? status.reason ?? 'no reason given'));
      resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8'), exitCode });
    });
  });
}

function statusOf(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return { status: 'Failure', message: text.slice(0, 200) };
  }
}

/** undefined: it did not run at all. */
function exitCodeOf({ status, reason, details }: Status): number | undefined {
  if (status === 'Success') return 0;
  if (reason !== 'NonZeroExitCode') return undefined;
  return Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? 1);
}

function failed({ namespace, pod, container, command }: PodCommand, why: string): FairleadError {
  return new FairleadError('E_POD_UNREACHABLE', `\`${command.join(' ')}\` in container ${container} of ${namespace}/${pod}: ${why}`, {
    next: 'See whether the container runs and has that program.',
  });
}
