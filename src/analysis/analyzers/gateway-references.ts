import type { KubernetesGateway } from '../../config/kinds/gateway-api.ts';
import type { Gateway, VirtualService } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { hostsOverlap } from '../../config/semantics/names.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullName } from '../model/hosts.ts';
import { gatewayName, isInternalGateway, MESH } from '../model/virtual-service-parts.ts';

/** Gateways that VirtualServices name: that they are there, and serve one of the hosts. */
export const gatewayReferences: Analyzer = {
  name: 'gateway-references',
  codes: ['IST0101', 'IST0132', 'IST0165'],
  run(model, report) {
    for (const resource of model.of<VirtualService>('VirtualService')) {
      const { namespace } = resource.metadata;
      const virtualservice = fullName(resource.metadata);
      for (const [i, entry] of (resource.spec.gateways ?? []).entries()) {
        const at = ['spec', 'gateways', i];
        if (entry === MESH) continue;
        if (isInternalGateway(entry)) {
          report('IST0165', resource, at, { virtualservice, gateway: entry });
          continue;
        }
        const named = gatewayName(entry, namespace);
        const gateway = model.find('Gateway', named.namespace, named.name);
        const kubernetes = model.find('gateway.networking.k8s.io/Gateway', named.namespace, named.name);
        if (gateway === undefined && kubernetes === undefined) report('IST0101', resource, at, { reftype: 'gateway', refval: entry });
        const hosts = resource.spec.hosts ?? [];
        const served = gateway ? istioHosts(gateway as Resource<Gateway>, namespace) : kubernetes ? kubernetesHosts(kubernetes) : [];
        if (hosts.some((host) => served.some((other) => hostsOverlap(host, other)))) continue;
        const found = gateway ?? kubernetes;
        report(
          'IST0132',
          resource,
          at,
          { host: hosts, virtualservice, gateway: fullName(named) },
          found
            ? { related: [{ resource: found, at: ['spec', gateway ? 'servers' : 'listeners'], note: 'the hosts that it serves' }] }
            : {},
        );
      }
    }
  },
};

/** The hosts of a Gateway for VirtualServices of `namespace`. */
function istioHosts({ spec, metadata }: Resource<Gateway>, namespace: string): string[] {
  return (spec.servers ?? []).flatMap((server) =>
    server.hosts.flatMap((written) => {
      const slash = written.indexOf('/');
      if (slash === -1) return [written];
      const [owner, host] = [written.slice(0, slash), written.slice(slash + 1)];
      const allowed = owner === '*' || (owner === '.' ? metadata.namespace : owner) === namespace;
      return allowed ? [host] : [];
    }),
  );
}

function kubernetesHosts(resource: Resource): string[] {
  const { listeners } = resource.spec as KubernetesGateway;
  return (listeners ?? []).map((listener) => listener.hostname || '*');
}

/** The Istio Gateways that a VirtualService is bound to. */
export function boundGateways(model: AnalysisModel, { spec, metadata }: Resource<VirtualService>): Resource<Gateway>[] {
  return (spec.gateways ?? []).flatMap((entry) => {
    const { namespace, name } = gatewayName(entry, metadata.namespace);
    const found = entry === MESH ? undefined : model.find('Gateway', namespace, name);
    return found === undefined ? [] : [found as Resource<Gateway>];
  });
}
