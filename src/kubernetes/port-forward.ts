/** A connection to a port inside a pod, by way of the API server and the pod's kubelet. */
import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { FairleadError } from '../errors.ts';
import type { ClusterAccess } from './kube-config.ts';
import { podPath, streamError } from './stream-error.ts';
import { openWebSocket, type StreamLimits } from './web-socket.ts';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** Kubelets speak it since 1.5; the API server passes it on as it is. One WebSocket is one connection. */
const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERROR = 1;

/**
 * Opens a connection to a port of a pod's own loopback. The stream ends when the process behind the port closes it, and is destroyed with
 * E_POD_UNREACHABLE when the kubelet cannot reach the port. There is no half-closing. Throws as `openWebSocket` does.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (connect GET requests to portforward)
 */
export async function openPortForward(access: ClusterAccess, at: PodPort, limits: StreamLimits): Promise<Duplex> {
  const path = `${podPath(at)}/portforward?ports=${at.port}`;
  try {
    return duplexOf(await openWebSocket(access, path, [PROTOCOL], limits), at);
  } catch (error) {
    throw streamError(error as Error, at, 'pods/portforward');
  }
}

function duplexOf(socket: WebSocket, at: PodPort): Duplex {
  // The first message of each channel is the port, in two bytes.
  const begun = [false, false];
  let told = '';
  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.of(DATA), chunk]), (error) => done(error ?? null));
    },
    final: (done) => done(),
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (data: RawData) => {
    const message = bufferOf(data);
    const channel = message[0] ?? DATA;
    const from = begun[channel] === false ? 3 : 1;
    begun[channel] = true;
    const payload = message.subarray(from);
    if (payload.length === 0) return;
    if (channel === ERROR) told += payload.toString('utf8');
    else if (channel === DATA && !stream.push(payload)) socket.pause();
  });
  socket.on('close', () => {
    if (told === '') stream.push(null);
    else stream.destroy(refused(at, told));
  });
  return stream;
}

/** A message of the other side, whole. */
export function bufferOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function refused({ namespace, pod, port }: PodPort, told: string): FairleadError {
  const why = /connection refused/i.test(told) ? `nothing listens on port ${port} of it` : told.trim();
  return new FairleadError('E_POD_UNREACHABLE', `the pod ${namespace}/${pod} cannot be asked: ${why}`, {
    next: 'See whether it has a proxy, whether that runs, and whether its admin API is on another port (--proxy-admin-port).',
  });
}
