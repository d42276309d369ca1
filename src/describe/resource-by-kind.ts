/** The reverse view of each kind: what a resource touches, and what stands in its way. */
import type { DestinationRule, Gateway, ServiceEntry, Sidecar, VirtualService } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { GATEWAY_API } from '../mesh/gateway-api/objects.ts';
import { destinationRule } from './kinds/destination-rule.ts';
import { gateway } from './kinds/gateway.ts';
import { gatewayApi } from './kinds/gateway-api.ts';
import { policy } from './kinds/policy.ts';
import { serviceEntry } from './kinds/service-entry.ts';
import { sidecar } from './kinds/sidecar.ts';
import { virtualService } from './kinds/virtual-service.ts';
import { POLICY_KINDS } from './policies.ts';
import type { Around, Touched } from './touched.ts';

/** undefined for kinds of which nothing is known but what is said about their fields. */
export function touchedBy(resource: Resource, around: Around): Touched | undefined {
  if (resource.group === GATEWAY_API) return gatewayApi(resource, around);
  switch (resource.kind) {
    case 'VirtualService':
      return virtualService(resource as Resource<VirtualService>, around);
    case 'DestinationRule':
      return destinationRule(resource as Resource<DestinationRule>, around);
    case 'Gateway':
      return gateway(resource as Resource<Gateway>, around);
    case 'ServiceEntry':
      return serviceEntry(resource as Resource<ServiceEntry>, around);
    case 'Sidecar':
      return sidecar(resource as Resource<Sidecar>, around);
    default:
      return (POLICY_KINDS as readonly string[]).includes(resource.kind) ? policy(resource, around) : undefined;
  }
}
