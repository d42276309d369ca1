import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { choice, int32, list, message } from '../schema.ts';
import { PolicyTargetReference, policyTarget, TrafficSelector, targetOrSelector } from '../selector.ts';
import { wasmFields } from './wasm.ts';

export const WasmPlugin = message(
  'A Wasm module that runs in the proxies of some workloads.',
  {
    ...policyTarget,
    targetRef: PolicyTargetReference,
    ...wasmFields,
    phase: choice(
      ['UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS'],
      'Where it stands among the filters: before authentication, before authorization, or before statistics. Default: at the end, before the router.',
    ),
    priority: int32('Order within the phase: higher ones come first. Default: 0.'),
    match: list(TrafficSelector, 'Which requests it sees: those that meet any of these. Default: all.'),
  },
  { ...targetOrSelector, required: ['url'] },
);

export type WasmPlugin = Static<typeof WasmPlugin>;

export const wasmPlugin = defineKind({
  kind: 'WasmPlugin',
  group: 'extensions.istio.io',
  versions: ['v1alpha1'],
  plural: 'wasmplugins',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Adds a Wasm filter to the proxies of workloads.',
  payload: 'spec',
  schema: WasmPlugin,
  unknownFields: 'refuse',
});
