/** Whether a pod gets a sidecar, as far as the pod itself says. Which pods an injector is asked about is for its webhooks; see webhooks.ts. */
import { readWishes, type Wishes } from './annotations.ts';
import { chooseAgent, type Place, type SidecarAgent } from './choose-agent.ts';
import { API_PORT, INJECT, INTERCEPTION_MODE, PROXY_CONTAINER, STATUS, STATUS_PORT, SYSTEM_NAMESPACES, TEMPLATES } from './names.ts';
import { annotationAt, annotationsOfPod, type ContainerJson, labelsOfPod, type PodJson, type Remark } from './pod.ts';
import type { InjectSettings } from './settings.ts';

export type Decision =
  | { inject: true; wishes: Wishes; agent: SidecarAgent; agentWhy: string }
  /** `wrong`: it was asked for, and cannot be, for the field `at`. `present`: there is one already. */
  | { inject: false; why: string; wrong: boolean; at: Remark['at']; present?: true };

const YES = new Set(['y', 'yes', 'true', 'on']);
const NO = new Set(['n', 'no', 'false', 'off']);

export function decide(pod: PodJson, place: Place, settings: InjectSettings): Decision {
  const { namespace } = place;
  const no = (why: string): Extract<Decision, { inject: false }> => ({ inject: false, why, wrong: false, at: [] });
  const cannot = (why: string, at: Remark['at']): Decision => ({ inject: false, why, wrong: true, at });
  const annotations = annotationsOfPod(pod);
  const containers = allContainers(pod);
  if (SYSTEM_NAMESPACES.has(namespace)) return no(`the namespace ${namespace} is the cluster’s own`);
  if (pod.spec?.hostNetwork === true) return no('it uses the network of its node');
  const { [INJECT]: label } = labelsOfPod(pod);
  const asked = label ?? annotations[INJECT];
  if (asked !== undefined && NO.has(asked.toLowerCase()))
    return no(`the ${label === undefined ? 'annotation' : 'label'} ${INJECT} is ${JSON.stringify(asked)}`);
  if (asked !== undefined && asked !== '' && !YES.has(asked.toLowerCase()))
    return cannot(`the ${label === undefined ? 'annotation' : 'label'} ${INJECT} is true or false, not ${JSON.stringify(asked)}`, [
      'metadata',
      label === undefined ? 'annotations' : 'labels',
      INJECT,
    ]);
  if (annotations[STATUS] !== undefined) return { ...no('it has a sidecar already'), present: true };
  if (containers.some(({ name, image }) => name === PROXY_CONTAINER && image !== undefined && image !== '' && image !== 'auto'))
    return { ...no(`it has a container ${PROXY_CONTAINER} of its own`), present: true };
  if (containers.every(({ name }) => name === PROXY_CONTAINER)) return no('it has no containers to be a sidecar of');
  const { os } = pod.spec ?? {};
  if (pod.spec?.nodeSelector?.['kubernetes.io/os'] === 'windows' || (os as { name?: string } | undefined)?.name === 'windows')
    return no('it runs on Windows');
  const chosen = chooseAgent(pod, place, settings);
  if ('wrong' in chosen) return cannot(chosen.wrong.text, chosen.wrong.at);
  const templates = annotations[TEMPLATES];
  if (templates !== undefined && templates !== 'sidecar')
    return cannot(`the annotation ${TEMPLATES} asks for ${JSON.stringify(templates)}; there is only sidecar`, annotationAt(TEMPLATES));
  const wishes = readWishes(pod, settings);
  if ('wrong' in wishes) return cannot(wishes.wrong.text, wishes.wrong.at);
  if (wishes.capture && place.strict)
    return cannot('its connections are to be redirected, and Pod Security of its namespace forbids what sets that up (NET_ADMIN)', [
      ...(annotations[INTERCEPTION_MODE] === undefined ? [] : annotationAt(INTERCEPTION_MODE)),
    ]);
  if (wishes.capture && settings.engine !== 'envoy')
    return cannot(
      `the annotation ${INTERCEPTION_MODE} asks for REDIRECT, and connections are redirected to Envoy alone: injection.engine of the installation is ${settings.engine}`,
      annotationAt(INTERCEPTION_MODE),
    );
  const { capture, proxyPort } = wishes;
  const ports = [
    API_PORT,
    ...(capture === undefined ? [] : [capture.settings.outboundPort, capture.settings.inboundPort]),
    ...(proxyPort === undefined ? [] : [proxyPort]),
    wishes.statusPort,
  ];
  if (new Set(ports).size < ports.length)
    return cannot(`two of the sidecar’s ports are the same: ${ports.join(', ')}`, annotationAt(STATUS_PORT));
  for (const list of ['initContainers', 'containers'] as const)
    for (const [i, { name, ports: own }] of (pod.spec?.[list] ?? []).entries())
      for (const [j, { containerPort, protocol }] of (own ?? []).entries())
        if (name !== PROXY_CONTAINER && containerPort !== undefined && protocol !== 'UDP' && ports.includes(containerPort))
          return cannot(`its container ${name} listens on ${containerPort}, which is a port of the sidecar`, ['spec', list, i, 'ports', j]);
  return { inject: true, wishes, agent: chosen.agent, agentWhy: chosen.why };
}

const allContainers = ({ spec }: PodJson): ContainerJson[] => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
