/** What redirects a pod's connections to its proxy, and what has to follow from it. */
import { APP_PROBES, type AppProbe, INSTANCE_IP } from '../capture/app-probe.ts';
import { captureArguments } from '../capture/to-flags.ts';
import { containerSecurity, USER } from '../objects/pods.ts';
import type { Wishes } from './annotations.ts';
import { INIT_CONTAINER } from './names.ts';
import type { ContainerJson, PodJson, Remark } from './pod.ts';
import { rewriteProbes } from './probes.ts';
import type { InjectSettings } from './settings.ts';

/** The containers of a pod that is injected, each list in its order; `sidecar` is in neither. */
export interface CapturedParts {
  sidecar: ContainerJson;
  /** Of the pod. */
  initContainers: readonly ContainerJson[];
  containers: readonly ContainerJson[];
  /** What sets the redirection up: before a sidecar that is an init container, else the last before the containers start. */
  rules: readonly ContainerJson[];
  notes: readonly Remark[];
}

/** @returns the parts as they are to be, or why it cannot be */
export function captureTraffic(
  pod: PodJson,
  parts: CapturedParts,
  settings: InjectSettings,
  wishes: Wishes,
): CapturedParts | { wrong: Remark } {
  const { capture } = wishes;
  if (capture === undefined) return parts;
  const wrong = proxyImpersonator(pod) ?? nameTaken(pod);
  if (wrong !== undefined) return { wrong };
  const init = initContainer(settings, wishes, captureArguments(capture.settings));
  if (!capture.rewriteProbes) return { ...parts, rules: [init] };
  const probes: Record<string, AppProbe> = {};
  const notes = [...parts.notes];
  const rewritten = (list: 'containers' | 'initContainers', some: readonly ContainerJson[]): ContainerJson[] =>
    some.map((one) => {
      const { container, probes: own, left } = rewriteProbes(one, wishes.statusPort);
      Object.assign(probes, own);
      const at = ['spec', list, (pod.spec?.[list] ?? []).indexOf(one)];
      for (const field of left)
        notes.push({ text: `${field} of ${one.name} stays as it is: its port has a name that the container does not declare`, at });
      return container;
    });
  const containers = rewritten('containers', parts.containers);
  const initContainers = rewritten('initContainers', parts.initContainers);
  const env = [
    { name: INSTANCE_IP, valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: APP_PROBES, value: JSON.stringify(probes) },
  ];
  const sidecar = Object.keys(probes).length === 0 ? parts.sidecar : { ...parts.sidecar, env: [...(parts.sidecar.env ?? []), ...env] };
  return { sidecar, initContainers, containers, rules: [init], notes };
}

/** Root, with the one capability that changing the network takes. */
function initContainer(settings: InjectSettings, wishes: Wishes, args: readonly string[]): ContainerJson {
  return {
    name: INIT_CONTAINER,
    image: wishes.image,
    ...(settings.imagePullPolicy === undefined ? {} : { imagePullPolicy: settings.imagePullPolicy }),
    args: ['agent', 'capture', 'apply', ...args],
    resources: wishes.resources,
    securityContext: {
      ...containerSecurity,
      privileged: false,
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    },
  };
}

/** What runs as the proxy's user would not be captured. */
function proxyImpersonator({ spec }: PodJson): Remark | undefined {
  const userOf = (of: unknown): unknown => (of as { runAsUser?: unknown } | null | undefined)?.runAsUser;
  const why = `runs as user ${USER}, which is the sidecar’s: its connections could not be told from those of the proxy`;
  if (userOf(spec?.['securityContext']) === USER) return { text: `it ${why}`, at: ['spec', 'securityContext', 'runAsUser'] };
  for (const list of ['initContainers', 'containers'] as const)
    for (const [i, { name, securityContext }] of (spec?.[list] ?? []).entries())
      if (userOf(securityContext) === USER)
        return { text: `its container ${name} ${why}`, at: ['spec', list, i, 'securityContext', 'runAsUser'] };
  return undefined;
}

function nameTaken({ spec }: PodJson): Remark | undefined {
  for (const list of ['initContainers', 'containers'] as const) {
    const i = (spec?.[list] ?? []).findIndex(({ name }) => name === INIT_CONTAINER);
    if (i !== -1) return { text: `it has a container ${INIT_CONTAINER} of its own`, at: ['spec', list, i] };
  }
  return undefined;
}
