import type { Gateway } from '../../config/kinds/networking.ts';
import type { GatewayView } from '../types.ts';
import type { ApiListener } from './listeners.ts';

/** Kubernetes' label of the pods that serve a Gateway, in its namespace. */
export const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';

type Server = NonNullable<Gateway['servers']>[number];

function serverTls({ spec, certificates }: ApiListener): Server['tls'] {
  if (spec.protocol !== 'HTTPS' && spec.protocol !== 'TLS') return undefined;
  return spec.tls?.mode === 'Passthrough' ? { mode: 'PASSTHROUGH' } : { mode: 'SIMPLE', credentialNames: [...certificates] };
}

/** A listener as a Gateway of one server, which only what is attached to the listener names. */
export function gatewayView(listener: ApiListener): GatewayView {
  const { gateway, spec, hostname, key, path } = listener;
  const selector = { [GATEWAY_NAME]: gateway.metadata.name };
  const tls = serverTls(listener);
  const server: Server = {
    port: { number: spec.port, name: spec.name, protocol: spec.protocol },
    hosts: [hostname],
    ...(tls && { tls }),
  };
  return {
    resource: gateway,
    spec: { selector, servers: [server] },
    key,
    selector,
    namespace: gateway.metadata.namespace,
    serverPath: () => path,
    claimsHosts: true,
  };
}
