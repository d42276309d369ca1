import type { BuildContext } from '../context.ts';

const privileged = 1024;
const noTranslation = 'experimental.istio.io/disable-gateway-port-translation';

/** The target ports that Istio's own gateway Service has for ports which only root can bind. */
function implied(port: number): number {
  if (port === 443) return 8443;
  return port === 80 ? 8080 : port < privileged ? port + 8000 : port;
}

/**
 * Where a gateway proxy listens for a server's port: the target port of the first of its services that has a port with that number,
 * else the number itself. Gateways that no workload was declared for listen as behind Istio's gateway Service.
 */
export function gatewayPort({ scope, proxy }: BuildContext, port: number): number {
  const { workload } = proxy;
  if (workload.labels[noTranslation] === 'true') return port;
  const instance = scope.instances.find((i) => i.port.number === port);
  if (instance !== undefined) return instance.targetPort;
  return workload.kind === 'implied' ? implied(port) : port;
}
