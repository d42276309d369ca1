/** Checks of the kubelet come without a certificate of the mesh: where connections are captured, the agent makes them in its place. */
import type { AppProbe } from '../capture/app-probe.ts';
import type { ContainerJson } from './pod.ts';

type Json = Record<string, unknown>;

/** Istio's names. Hooks are not asked again when they fail, so that they have paths of their own. */
const CHECKS = { livenessProbe: 'livez', readinessProbe: 'readyz', startupProbe: 'startupz' } as const;
const HOOKS = { postStart: 'poststartz', preStop: 'prestopz' } as const;

export interface Rewritten {
  container: ContainerJson;
  /** By the path on which the agent is to answer. */
  probes: Record<string, AppProbe>;
  /** Checks that cannot be made by the agent, by field. */
  left: readonly string[];
}

/** @param port on which the agent answers */
export function rewriteProbes(container: ContainerJson, port: number): Rewritten {
  const probes: Record<string, AppProbe> = {};
  const left: string[] = [];
  const taken = (path: string, field: string, check: Json, timeout?: unknown): Json | undefined => {
    const probe = probeOf(container, check);
    if (probe === 'left') left.push(field);
    if (probe === undefined || probe === 'left') return undefined;
    probes[path] = typeof timeout === 'number' ? { ...probe, timeoutSeconds: timeout } : probe;
    const { httpGet: _, tcpSocket: __, grpc: ___, ...rest } = check;
    return { ...rest, httpGet: { path, port } };
  };
  const changed: Json = {};
  for (const [field, name] of Object.entries(CHECKS)) {
    const check = container[field] as Json | null | undefined;
    if (check) changed[field] = taken(`/app-health/${container.name}/${name}`, field, check, check['timeoutSeconds']) ?? check;
  }
  const lifecycle = container['lifecycle'] as Json | null | undefined;
  for (const [field, name] of Object.entries(HOOKS)) {
    const hook = lifecycle?.[field] as Json | null | undefined;
    if (!hook) continue;
    const now = taken(`/app-lifecycle/${container.name}/${name}`, `lifecycle.${field}`, hook) ?? hook;
    changed['lifecycle'] = { ...((changed['lifecycle'] as Json | undefined) ?? lifecycle), [field]: now };
  }
  return { container: { ...container, ...changed }, probes, left };
}

/** undefined: it does not use the network, or not the pod's. `left`: its port has a name that the container does not declare. */
function probeOf(container: ContainerJson, check: Json): AppProbe | undefined | 'left' {
  const [kind, asked] = Object.entries(check).find(([name, value]) => value && ['httpGet', 'tcpSocket', 'grpc'].includes(name)) ?? [];
  if (kind === undefined) return undefined;
  const { port, host, ...rest } = asked as Json;
  // Another host than the pod: that of the node, or one outside.
  if (typeof host === 'string' && host !== '') return undefined;
  const number = typeof port === 'number' ? port : portNamed(container, String(port));
  return number === undefined ? 'left' : { [kind]: { ...rest, port: number } };
}

function portNamed({ ports }: ContainerJson, name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  return (ports ?? []).find((port) => port['name'] === name)?.containerPort;
}
