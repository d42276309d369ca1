/** A container that the pod's author writes over the sidecar's: `name: istio-proxy, image: auto` and what is to be different. */
import type { ContainerJson } from './pod.ts';

/** What lists are merged by, as with strategic merge patches. */
const KEYS: Readonly<Record<string, string>> = { env: 'name', volumeMounts: 'mountPath', ports: 'containerPort' };

export function mergeContainer(made: ContainerJson, written: ContainerJson | undefined): ContainerJson {
  if (written === undefined) return made;
  const merged: ContainerJson = { ...made };
  for (const [field, value] of Object.entries(written)) {
    if (field === 'name' || (field === 'image' && (value === 'auto' || value === ''))) continue;
    merged[field] = mergeField(field, made[field], value);
  }
  return merged;
}

function mergeField(field: string, made: unknown, written: unknown): unknown {
  const key = KEYS[field];
  if (key !== undefined && Array.isArray(made) && Array.isArray(written)) {
    const over = written as Record<string, unknown>[];
    const rest = (made as Record<string, unknown>[]).filter((item) => !over.some((o) => o[key] === item[key]));
    return [...rest, ...over];
  }
  if (!isMap(made) || !isMap(written)) return written;
  return { ...made, ...Object.fromEntries(Object.entries(written).map(([name, value]) => [name, mergeField(name, made[name], value)])) };
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
