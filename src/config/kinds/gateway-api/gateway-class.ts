import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { message, string } from '../schema.ts';

export const GatewayClass = message(
  'A sort of gateways.',
  {
    controllerName: string('Who serves them, such as `istio.io/gateway-controller`.'),
    description: string('What it is for.'),
    parametersRef: message(
      'Further settings.',
      { group: string('API group.'), kind: string('Kind.'), name: string('Name.'), namespace: string('Namespace.') },
      { required: ['group', 'kind', 'name'] },
    ),
  },
  { required: ['controllerName'] },
);

export type GatewayClass = Static<typeof GatewayClass>;

export const gatewayClass = defineKind({
  kind: 'GatewayClass',
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1beta1'],
  plural: 'gatewayclasses',
  shortNames: ['gc'],
  scope: 'Cluster',
  description: 'Says which controller serves some Gateways.',
  payload: 'spec',
  schema: GatewayClass,
  unknownFields: 'refuse',
});
