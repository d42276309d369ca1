import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, message, string } from '../schema.ts';
import { BackendObjectReference, backendWeight, routeFields } from './references.ts';

export const TCPRoute = message(
  'How TCP connections are routed.',
  {
    parentRefs: routeFields.parentRefs,
    useDefaultGateways: routeFields.useDefaultGateways,
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

export type TCPRoute = Static<typeof TCPRoute>;

export const tcpRoute = defineKind({
  kind: 'TCPRoute',
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1alpha2'],
  plural: 'tcproutes',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Routes TCP connections, as the Gateway API writes it.',
  payload: 'spec',
  schema: TCPRoute,
  unknownFields: 'refuse',
});
