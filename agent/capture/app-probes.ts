/** Makes the kubelet's checks of the applications in a pod, in its place: it has no certificate of the mesh. */

import { inboundSource } from '../../src/envoy/clusters/fixed.ts';
import { FairleadError } from '../../src/errors.ts';
import { APP_PROBES, type AppProbe, type AppProbes, INSTANCE_IP } from '../../src/install/capture/app-probe.ts';
import { probeGrpc } from './probe-grpc.ts';
import { probeHttp } from './probe-http.ts';
import type { ProbeTarget } from './probe-target.ts';
import { probeTcp } from './probe-tcp.ts';

export interface ProbeAnswer {
  /** Below 400: the application is well, as for the kubelet. */
  status: number;
  /** For people. */
  text: string;
}

/** The check that a path stands for; undefined: none does. */
export type AppProber = (path: string, userAgent: string) => Promise<ProbeAnswer> | undefined;

/** As in Kubernetes. */
const TIMEOUT_SECONDS = 1;

/** Reads what injection has written; undefined where there is none. Throws E_USAGE. */
export function appProberOf(env: Readonly<Record<string, string | undefined>>): AppProber | undefined {
  const text = env[APP_PROBES];
  return text === undefined || text === '' ? undefined : appProber(readProbes(text), env[INSTANCE_IP] || undefined);
}

/** @param address the pod's, where the kubelet would ask; loopback when it is not known */
export function appProber(probes: AppProbes, address: string | undefined): AppProber {
  const target: ProbeTarget =
    address === undefined
      ? { address: '127.0.0.1' }
      : // What comes from there is not captured, so that the application is asked itself.
        { address, localAddress: address.includes(':') ? inboundSource.ipv6 : inboundSource.ipv4 };
  // Whoever asks often does not make the application be asked more often.
  const running = new Map<string, Promise<ProbeAnswer>>();
  return (path, userAgent) => {
    const probe = Object.hasOwn(probes, path) ? probes[path] : undefined;
    if (probe === undefined) return undefined;
    const known = running.get(path);
    if (known !== undefined) return known;
    const answer = run(probe, target, userAgent).finally(() => running.delete(path));
    running.set(path, answer);
    return answer;
  };
}

async function run(probe: AppProbe, target: ProbeTarget, userAgent: string): Promise<ProbeAnswer> {
  const seconds = probe.timeoutSeconds ?? TIMEOUT_SECONDS;
  const signal = AbortSignal.timeout(seconds * 1000);
  try {
    if (probe.httpGet !== undefined) return await probeHttp(probe.httpGet, target, userAgent, signal);
    if (probe.grpc !== undefined) return await probeGrpc(probe.grpc, target, userAgent, signal);
    return await probeTcp(probe.tcpSocket?.port ?? 0, target, signal);
  } catch (error) {
    const why = signal.aborted ? `does not answer within ${seconds} s` : `cannot be asked: ${(error as Error).message}`;
    return { status: 500, text: `the application ${why}` };
  }
}

function readProbes(text: string): AppProbes {
  const wrong = (why: string): FairleadError =>
    new FairleadError('E_USAGE', `the variable ${APP_PROBES} ${why}`, { next: 'Injection writes it; leave it as it is.' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('is not JSON');
  }
  if (!isMap(value)) throw wrong('is not a map of checks by path');
  for (const [path, probe] of Object.entries(value)) if (!isProbe(probe)) throw wrong(`has no check that is known at ${path}`);
  return value as AppProbes;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function isProbe(value: unknown): boolean {
  if (!isMap(value)) return false;
  const { httpGet, tcpSocket, grpc, timeoutSeconds = 1 } = value;
  const kinds = [httpGet, tcpSocket, grpc].filter((kind) => kind !== undefined);
  const [kind] = kinds;
  if (kinds.length !== 1 || !isMap(kind) || !(typeof timeoutSeconds === 'number' && timeoutSeconds > 0)) return false;
  const { port, httpHeaders = [] } = kind;
  return Number.isInteger(port) && (port as number) > 0 && (port as number) <= 65_535 && Array.isArray(httpHeaders);
}
