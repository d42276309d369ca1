import { gatewaysOf } from './gateways.ts';
import { type InstanceInputs, instancesOf } from './instances.ts';
import { lazily } from './memo.ts';
import type { Routing } from './routing.ts';
import type { ProxyNode, ProxyScope } from './types.ts';

/** What one proxy sees. Everything is computed when it is first asked for; what proxies have in common is computed once for them all. */
export function scopeOf(proxy: ProxyNode, routing: Routing, instanceInputs: InstanceInputs): ProxyScope {
  const { namespace, labels } = proxy;
  const router = proxy.type === 'router';
  const sidecar = router ? undefined : routing.sidecarFor(namespace, labels);
  const shared = lazily(() => routing.shared(namespace, router ? 'gateway' : sidecar));
  const instances = lazily(() => instancesOf(proxy.workload, instanceInputs));
  const gateways = lazily(() => (router ? gatewaysOf(routing.gateways, { labels, namespace }) : []));
  const rules = {
    outbound: routing.destinationRules.finder({ namespace, labels }),
    inbound: routing.destinationRules.finder({ namespace, labels: undefined }),
  };
  const ingress = sidecar?.spec.ingress;
  return {
    proxy,
    get services() {
      return shared().services;
    },
    serviceByHost: (host) => shared().serviceByHost(host),
    sidecar,
    get egress() {
      return shared().egress;
    },
    ingress: ingress !== undefined && ingress.length > 0 ? ingress : undefined,
    outboundTrafficPolicy: (sidecar?.spec.outboundTrafficPolicy ??
      routing.config.outboundTrafficPolicy) as ProxyScope['outboundTrafficPolicy'],
    get virtualServices() {
      return shared().virtualServices;
    },
    virtualServicesFor: (gateway) => routing.virtualServices.attachedTo(gateway, namespace),
    destinationRule: (service, direction = 'outbound') => rules[direction](service),
    get instances() {
      return instances();
    },
    get gateways() {
      return gateways();
    },
  };
}
