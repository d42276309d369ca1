import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, choice, int32, list, message, struct } from '../schema.ts';
import { LabelsSelector, targetRefs } from '../selector.ts';
import { EnvoyConfigObjectMatch } from './envoy-filter-match.ts';

export const Patch = message('The change.', {
  operation: choice(
    ['INVALID', 'MERGE', 'ADD', 'REMOVE', 'INSERT_BEFORE', 'INSERT_AFTER', 'INSERT_FIRST', 'REPLACE', 'MERGE_AND_REPLACE_LIST'],
    'MERGE: merges `value` into the object, lists appended. MERGE_AND_REPLACE_LIST: the same, lists replaced. ADD: adds an object. REMOVE: removes it. INSERT_BEFORE, INSERT_AFTER: beside the matched one. INSERT_FIRST: at the head of the list. REPLACE: in its place.',
  ),
  value: struct("Envoy's JSON of the object. Not with REMOVE."),
  filterClass: choice(
    ['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS'],
    'ADD of an HTTP filter: where it goes when no other is matched: after authentication, after authorization, or before statistics.',
  ),
});

export const EnvoyConfigObjectPatch = message('A change to generated Envoy objects of one sort.', {
  applyTo: choice(
    [
      'INVALID',
      'LISTENER',
      'FILTER_CHAIN',
      'NETWORK_FILTER',
      'HTTP_FILTER',
      'ROUTE_CONFIGURATION',
      'VIRTUAL_HOST',
      'HTTP_ROUTE',
      'CLUSTER',
      'EXTENSION_CONFIG',
      'BOOTSTRAP',
      'LISTENER_FILTER',
    ],
    'The sort of object.',
  ),
  match: EnvoyConfigObjectMatch,
  patch: Patch,
});

export const EnvoyFilter = message(
  'Changes to generated Envoy configuration.',
  {
    workloadSelector: as(
      LabelsSelector,
      'Workloads whose proxies are changed. Default: all of the namespace, or of the mesh in the root namespace.',
    ),
    targetRefs,
    configPatches: list(EnvoyConfigObjectPatch, 'The changes, applied in this order.'),
    priority: int32('Order among EnvoyFilters: lower ones are applied first. Default: 0.'),
  },
  { oneOf: [['workloadSelector', 'targetRefs']] },
);

export type EnvoyConfigObjectPatch = Static<typeof EnvoyConfigObjectPatch>;
export type EnvoyFilter = Static<typeof EnvoyFilter>;

export const envoyFilter = defineKind({
  kind: 'EnvoyFilter',
  group: 'networking.istio.io',
  versions: ['v1alpha3'],
  plural: 'envoyfilters',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Patches the Envoy configuration that is generated, where nothing else gives what is needed.',
  payload: 'spec',
  schema: EnvoyFilter,
  unknownFields: 'refuse',
});
