/** Ways of saying which workloads a resource is for, shared by several groups. */
import type { Static } from 'typebox';
import { as, choice, integer, list, message, string, stringMap } from './schema.ts';

/** `selector` of policies, and of DestinationRule and ProxyConfig. */
export const WorkloadSelector = message('Workloads by their labels.', {
  matchLabels: stringMap('Labels that a workload must carry, all of them. Keys and values hold no `*`.', {
    maxProperties: 4096,
    values: { maxLength: 63 },
  }),
});

/** `workloadSelector` of Sidecar, ServiceEntry and EnvoyFilter: the same by another name. */
export const LabelsSelector = message('Workloads of the same namespace, by their labels.', {
  labels: stringMap('Labels that a workload must carry, all of them. Keys and values hold no `*`.', {
    maxProperties: 256,
    values: { maxLength: 63 },
  }),
});

export const PolicyTargetReference = message(
  'A resource that a policy is attached to, in the namespace of the policy.',
  {
    group: string(
      'Its API group: empty for Service, `networking.istio.io` for ServiceEntry, `gateway.networking.k8s.io` for Gateway and GatewayClass.',
      {
        maxLength: 253,
        pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
      },
    ),
    kind: string('Its kind.', { minLength: 1, maxLength: 63, pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$' }),
    name: string('Its name.', { minLength: 1, maxLength: 253 }),
    namespace: string('Must be empty: references to other namespaces are not supported.', { maxLength: 0 }),
  },
  { required: ['kind', 'name'] },
);

export const targetRefs = list(PolicyTargetReference, 'Resources that this is attached to, in place of a selector.', { maxItems: 16 });

/** The fields by which policies say what they are for. */
export const policyTarget = {
  selector: as(WorkloadSelector, 'Workloads that this is for. Default: all of the namespace, or of the mesh in the root namespace.'),
  targetRefs,
};

/** Of these only one may be set. */
export const targetOrSelector = { oneOf: [['selector', 'targetRef', 'targetRefs']] };

/** Which side of a connection something is for, and on which ports. */
export const TrafficSelector = message('Traffic by direction and port.', {
  mode: choice(
    ['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER'],
    'CLIENT: requests that a workload sends; SERVER: requests that it receives, and all of a gateway; CLIENT_AND_SERVER (as UNDEFINED, the default): both.',
  ),
  ports: list(
    message('A port.', { number: integer('The number of the port.', { minimum: 1, maximum: 65535 }) }, { required: ['number'] }),
    'Ports that it is for: of the called service for CLIENT, of the workload for SERVER. Default: all.',
  ),
});

export type WorkloadSelector = Static<typeof WorkloadSelector>;
export type LabelsSelector = Static<typeof LabelsSelector>;
export type PolicyTargetReference = Static<typeof PolicyTargetReference>;
export type TrafficSelector = Static<typeof TrafficSelector>;
