import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, message, string } from '../schema.ts';
import { BackendObjectReference, backendWeight, routeFields } from './references.ts';

export const TLSRoute = message(
  'How TLS connections are routed by server name, without being terminated.',
  {
    ...routeFields,
    rules: list(
      message('A rule for connections.', {
        name: string('Its name.'),
        backendRefs: list(
          message(
            'One of the services that connections are shared between.',
            { ...BackendObjectReference.properties, weight: backendWeight },
            { required: ['name'] },
          ),
          'Services that connections are shared between by weight.',
          { maxItems: 16 },
        ),
      }),
      'The rule; one at most.',
      { maxItems: 16 },
    ),
  },
  { required: ['rules'] },
);

export type TLSRoute = Static<typeof TLSRoute>;

export const tlsRoute = defineKind({
  kind: 'TLSRoute',
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1alpha3', 'v1alpha2'],
  plural: 'tlsroutes',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Routes TLS connections by server name, as the Gateway API writes it.',
  payload: 'spec',
  schema: TLSRoute,
  unknownFields: 'refuse',
});
