import { gatewaysOf } from './gateways.ts';
import { type InstanceInputs, instancesOf } from './instances.ts';
import { lazily } from './memo.ts';
import type { Routing } from './routing.ts';
import type { DestinationRuleView, ProxyNode, ProxyScope, Service } from './types.ts';

/** What one proxy sees. Everything is computed when it is first asked for; what proxies have in common is computed once for them all. */
export function scopeOf(proxy: ProxyNode, routing: Routing, instanceInputs: InstanceInputs): ProxyScope {
  const { namespace, labels } = proxy;
  const router = proxy.type === 'router';
  const sidecar = router ? undefined : routing.sidecarFor(namespace, labels);
  const shared = lazily(() => routing.shared(namespace, router ? 'gateway' : sidecar));
  const instances = lazily(() => instancesOf(proxy.workload, instanceInputs));
  const gateways = lazily(() => (router ? gatewaysOf(routing.gateways, labels) : []));
  const rules = {
    outbound: new Map<Service, DestinationRuleView | undefined>(),
    inbound: new Map<Service, DestinationRuleView | undefined>(),
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
    destinationRule(service: Service, direction = 'outbound') {
      const memo = rules[direction];
      const known = memo.get(service);
      if (known !== undefined || memo.has(service)) return known;
      const found = routing.destinationRules.find(service, { namespace, labels: direction === 'outbound' ? labels : undefined });
      memo.set(service, found);
      return found;
    },
    get instances() {
      return instances();
    },
    get gateways() {
      return gateways();
    },
  };
}
