/** What redirects a pod's connections to its proxy. */
import type { Wishes } from './annotations.ts';
import { INTERCEPTION_MODE } from './names.ts';
import { annotationAt, type ContainerJson, type Remark } from './pod.ts';
import type { InjectSettings } from './settings.ts';

/** The containers of a pod that is injected, each list in its order; `sidecar` is in neither. */
export interface CapturedParts {
  sidecar: ContainerJson;
  /** Of the pod, before which those that redirect are run. */
  initContainers: readonly ContainerJson[];
  containers: readonly ContainerJson[];
  /** Run before all others, the sidecar too. */
  first: readonly ContainerJson[];
  notes: readonly Remark[];
}

/** @returns the parts as they are to be, or why it cannot be */
export function captureTraffic(_parts: CapturedParts, _settings: InjectSettings, _wishes: Wishes): CapturedParts | { wrong: Remark } {
  return { wrong: { text: 'connections cannot be captured, so only NONE can be had', at: annotationAt(INTERCEPTION_MODE) } };
}
