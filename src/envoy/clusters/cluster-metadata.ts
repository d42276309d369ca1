import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { DestinationRuleView, Service } from '../../mesh/types.ts';
import { provenance } from '../metadata.ts';

interface ServiceEntryJson {
  [key: string]: string;
  host: string;
  name: string;
  namespace: string;
}

/** One element of Istio's `services` metadata. */
export function serviceMetadata(service: Service): ServiceEntryJson {
  return { host: service.host, name: service.name, namespace: service.namespace };
}

/** Where the policy of a cluster was written: the rule, and the subset or the top level in it. */
function ruleProvenance(rule: DestinationRuleView, subset: string): NonNullable<MetadataJson['filterMetadata']> {
  const index = subset ? (rule.spec.subsets ?? []).findIndex((s) => s.name === subset) : -1;
  const origin = index >= 0 ? rule.subsetOrigins[index] : undefined;
  const field = origin ? origin.path : rule.spec.trafficPolicy ? 'trafficPolicy' : undefined;
  return provenance(rule.resource, field, origin?.resource).filterMetadata ?? {};
}

/** Metadata of an outbound cluster as Istio writes it, with the rule's provenance. */
export function outboundMetadata(
  service: Service,
  rule: DestinationRuleView | undefined,
  subset: string,
  originatesTls: boolean,
): MetadataJson {
  const { istio, ...ours } = rule ? ruleProvenance(rule, subset) : {};
  return {
    filterMetadata: {
      ...ours,
      istio: {
        ...(istio as object),
        // The filter that puts mesh names into the handshake leaves such servers alone.
        ...(originatesTls && { alpn_override: 'false' }),
        ...(service.external && { external: true }),
        // Istio: clusters that resolve what the request names say only that they are external.
        ...(service.resolution !== 'dynamic-dns' && { services: [serviceMetadata(service)] }),
        ...(subset && { subset }),
      },
    },
  };
}
