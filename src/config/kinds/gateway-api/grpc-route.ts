import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { choice, list, message, string } from '../schema.ts';
import { GRPCRouteFilter } from './filters.ts';
import { BackendObjectReference, backendWeight, routeFields, SessionPersistence } from './references.ts';

const type = choice(['Exact', 'RegularExpression'], 'How it is compared. Default: Exact.');

export const GRPCRoute = message('How gRPC calls to some hosts are routed.', {
  ...routeFields,
  rules: list(
    message('A rule for gRPC calls.', {
      name: string('Its name.'),
      matches: list(
        message('Conditions on a call; all of them must hold.', {
          method: message('The method.', { type, service: string('Full name of the service.'), method: string('Name of the method.') }),
          headers: list(
            message(
              'A condition on a header.',
              { type, name: string('Its name.'), value: string('The value.') },
              { required: ['name', 'value'] },
            ),
            'Headers.',
          ),
        }),
        'The rule is for calls that meet any of these. Default: all.',
        { maxItems: 64 },
      ),
      filters: list(GRPCRouteFilter, 'Done with calls.', { maxItems: 16 }),
      backendRefs: list(
        message(
          'One of the services that calls are shared between.',
          {
            ...BackendObjectReference.properties,
            weight: backendWeight,
            filters: list(GRPCRouteFilter, 'Done with calls to this service only.'),
          },
          { required: ['name'] },
        ),
        'Services that calls are shared between by weight.',
        { maxItems: 16 },
      ),
      sessionPersistence: SessionPersistence,
    }),
    'Rules; the most specific match is used.',
    { maxItems: 16 },
  ),
});

export type GRPCRoute = Static<typeof GRPCRoute>;

export const grpcRoute = defineKind({
  kind: 'GRPCRoute',
  group: 'gateway.networking.k8s.io',
  versions: ['v1'],
  plural: 'grpcroutes',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Routes gRPC calls, as the Gateway API writes it.',
  payload: 'spec',
  schema: GRPCRoute,
  unknownFields: 'refuse',
});
