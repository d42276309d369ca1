import type { ProxyScope } from '../mesh/types.ts';

/** What becomes of calls to services that are not known. */
export type UnknownTraffic = 'ALLOW_ANY' | 'REGISTRY_ONLY' | 'ALLOW_ANY_DYNAMIC_DNS';

/** The proxy's mode: its Sidecar's, else the mesh's, else ALLOW_ANY. */
export function unknownTraffic(scope: ProxyScope): UnknownTraffic {
  // A configuration with errors is computed too, to find more in it: a mode that does not exist counts as none.
  const { mode } = scope.outboundTrafficPolicy;
  return mode === 'REGISTRY_ONLY' || mode === 'ALLOW_ANY_DYNAMIC_DNS' ? mode : 'ALLOW_ANY';
}

/**
 * True when the proxy looks hosts that nothing knows up by itself: in Istio's dynamic DNS mode, and where clients name it as their HTTP
 * proxy (interception NONE), because then there is no original destination that they could be passed on to. A Sidecar's `egressProxy`
 * takes unknown traffic wherever it goes.
 */
export function looksUnknownHostsUp(scope: ProxyScope): boolean {
  if (scope.proxy.type !== 'sidecar') return false;
  // Only a Sidecar's policy has it.
  const { egressProxy } = scope.outboundTrafficPolicy as { egressProxy?: object };
  switch (unknownTraffic(scope)) {
    case 'REGISTRY_ONLY':
      return false;
    case 'ALLOW_ANY_DYNAMIC_DNS':
      return true;
    case 'ALLOW_ANY':
      return scope.proxy.interception === 'NONE' && !(scope.sidecar && egressProxy);
  }
}
