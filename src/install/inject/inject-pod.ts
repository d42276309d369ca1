/** Pod in, pod with a sidecar out. */
import { DEFAULT_REVISION } from '../objects/names.ts';
import { type CapturedParts, captureTraffic } from './capture.ts';
import type { Place } from './choose-agent.ts';
import { decide } from './decide.ts';
import { throughProxy } from './explicit-proxy.ts';
import { mergeContainer } from './merge-container.ts';
import {
  CA_ROOTS,
  DEFAULT_CONTAINER,
  HTTP_PROXY_PORT,
  INTERCEPTION_MODE,
  NATIVE_SIDECAR,
  PROXY_CONTAINER,
  REVISION,
  STATUS,
} from './names.ts';
import { annotationAt, annotationsOfPod, type ContainerJson, labelsOfPod, type PodJson, type PodSpecJson, type Remark } from './pod.ts';
import type { InjectSettings } from './settings.ts';
import { sidecarContainer, sidecarVolumes } from './sidecar.ts';

export type Injection =
  /** `notes`: what the author should know. */
  | { injected: true; pod: PodJson; notes: readonly Remark[] }
  /** `wrong`: it was asked for, and cannot be, for the field `at`. */
  | { injected: false; why: string; wrong: boolean; at: Remark['at'] };

/**
 * Gives a pod, or the template of one, its sidecar. Nothing of `pod` is changed; injecting the result again changes nothing.
 *
 * @param place where it is to run
 */
export function injectPod(pod: PodJson, place: Place, settings: InjectSettings): Injection {
  const decision = decide(pod, place, settings);
  if (!decision.inject) return { injected: false, why: decision.why, wrong: decision.wrong, at: decision.at };
  const { wishes, agent } = decision;
  if (agent === 'pod' && settings.ca.roots === '')
    return {
      injected: false,
      ...{ why: `its sidecar asks the CA itself (${decision.agentWhy}), and the CA’s roots are not known`, wrong: true, at: [] },
    };
  const { containers, initContainers, override } = withoutOverride(pod.spec ?? {});
  const own: CapturedParts = {
    sidecar: mergeContainer(sidecarContainer(settings, wishes, agent), override),
    ...{ initContainers, containers, rules: [], notes: [] },
  };
  const parts = captureTraffic(pod, own, settings, wishes);
  if ('wrong' in parts) return { injected: false, why: parts.wrong.text, wrong: true, at: parts.wrong.at };
  const notes = [...wishes.notes, ...parts.notes];
  const routed = (list: 'containers' | 'initContainers', some: readonly ContainerJson[]): readonly ContainerJson[] => {
    // Their connections get to the proxy without their doing.
    if (wishes.capture) return some;
    return some.map((one) => {
      const { container, taken } = throughProxy(one, wishes);
      const at = ['spec', list, (pod.spec?.[list] ?? []).indexOf(one)];
      if (taken !== undefined)
        notes.push({ text: `the container ${one.name} sets ${taken} itself, so its requests do not pass the sidecar by it`, at });
      return container;
    });
  };
  const volumes = sidecarVolumes(settings, wishes, agent);
  const taken = (pod.spec?.volumes ?? []).findIndex(({ name }) => volumes.some((v) => v.name === name));
  if (taken !== -1) {
    const why = `it has a volume ${pod.spec?.volumes?.[taken]?.name}, which is a name of the sidecar’s`;
    return { injected: false, why, wrong: true, at: ['spec', 'volumes', taken] };
  }
  // Init containers before a proxy that is no init container itself run without it, and before connections are redirected to it.
  const inits = wishes.native
    ? [...parts.rules, parts.sidecar, ...routed('initContainers', parts.initContainers)]
    : [...parts.initContainers, ...parts.rules];
  const secrets = pod.spec?.imagePullSecrets ?? [];
  const added = settings.imagePullSecrets.filter((name) => !secrets.some((s) => s.name === name)).map((name) => ({ name }));
  const { initContainers: _, ...rest } = pod.spec ?? {};
  const spec: PodSpecJson = {
    ...rest,
    ...(inits.length > 0 ? { initContainers: inits } : {}),
    containers: [...(wishes.native ? [] : [parts.sidecar]), ...routed('containers', parts.containers)],
    volumes: [...(pod.spec?.volumes ?? []), ...volumes],
    ...(added.length > 0 ? { imagePullSecrets: [...secrets, ...added] } : {}),
  };
  const ends = pod.spec?.['restartPolicy'];
  if (!wishes.native && (ends === 'Never' || ends === 'OnFailure'))
    notes.push({
      text: 'its containers are to end, and the sidecar among them does not: inject it as a native sidecar',
      at: annotationAt(NATIVE_SIDECAR),
    });
  const revision = settings.revision || DEFAULT_REVISION;
  const labels = { ...labelsOfPod(pod) };
  labels[REVISION] ??= revision;
  // Peers may speak mutual TLS with it. https://istio.io/latest/docs/reference/config/labels/
  labels['security.istio.io/tlsMode'] ??= 'istio';
  const annotations = {
    [DEFAULT_CONTAINER]: containers[0]?.name ?? '',
    ...annotationsOfPod(pod),
    ...(wishes.proxyPort === undefined ? {} : { [HTTP_PROXY_PORT]: String(wishes.proxyPort) }),
    [INTERCEPTION_MODE]: wishes.capture ? 'REDIRECT' : 'NONE',
    ...(agent === 'pod' ? { [CA_ROOTS]: settings.ca.roots } : {}),
    [STATUS]: JSON.stringify({
      revision,
      ...statusOf(parts, wishes.native),
      volumes: volumes.map(({ name }) => name),
      ...(added.length > 0 ? { imagePullSecrets: added.map(({ name }) => name) } : {}),
    }),
  };
  return { injected: true, pod: { ...pod, metadata: { ...pod.metadata, labels, annotations }, spec }, notes };
}

/** As in Istio's: names of what was put in. */
function statusOf({ rules }: CapturedParts, native: boolean): { initContainers?: string[]; containers?: string[] } {
  const inits = [...rules.map(({ name }) => name), ...(native ? [PROXY_CONTAINER] : [])];
  return { ...(inits.length > 0 ? { initContainers: inits } : {}), ...(native ? {} : { containers: [PROXY_CONTAINER] }) };
}

function withoutOverride(spec: PodSpecJson): { containers: ContainerJson[]; initContainers: ContainerJson[]; override?: ContainerJson } {
  const isProxy = ({ name }: ContainerJson): boolean => name === PROXY_CONTAINER;
  const containers = [...(spec.containers ?? [])];
  const initContainers = [...(spec.initContainers ?? [])];
  const override = [...containers, ...initContainers].find(isProxy);
  return {
    containers: containers.filter((c) => !isProxy(c)),
    initContainers: initContainers.filter((c) => !isProxy(c)),
    ...(override === undefined ? {} : { override }),
  };
}
