import { FairleadError } from '../../src/errors.ts';
import type { ContainerFacts, PodFacts } from '../../src/kubernetes/pods.ts';

/** Istio's and Fairlead's sidecars and Istio's gateways are called so; Fairlead's gateways have their own name. */
const PROXY = 'istio-proxy';

/** True for a container that runs `fairlead agent run`. */
const isAgent = ({ args }: ContainerFacts): boolean => args[0] === 'agent' && args[1] === 'run';

/** The container of a pod that is a proxy; undefined: it has none. */
export function findProxyContainer({ containers }: PodFacts): ContainerFacts | undefined {
  return containers.find(({ name }) => name === PROXY) ?? containers.find(isAgent);
}

/** The container that runs the proxy, and whose it is. Throws E_POD_UNREACHABLE with the containers that there are. */
export function proxyContainer(pod: PodFacts): { container: string; isFairlead: boolean } {
  const found = findProxyContainer(pod);
  if (found !== undefined) return { container: found.name, isFairlead: isAgent(found) };
  throw new FairleadError(
    'E_POD_UNREACHABLE',
    `the pod ${pod.namespace}/${pod.name} has no proxy: no container ${PROXY}, and none that runs an agent`,
    {
      next: `It has: ${pod.containers.map(({ name }) => name).join(', ')}. \`fairlead check-inject\` says why a pod gets none.`,
    },
  );
}
