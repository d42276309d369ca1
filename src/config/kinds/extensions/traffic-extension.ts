import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { choice, int32, list, message, string } from '../schema.ts';
import { policyTarget, TrafficSelector } from '../selector.ts';
import { wasmFields } from './wasm.ts';

export const WasmConfig = message('A Wasm module.', wasmFields, { required: ['url'] });

export const LuaConfig = message(
  'A Lua script.',
  { inlineCode: string('The script, up to 64 KiB: `function envoy_on_request(handle)` and its like.', { minLength: 1, maxLength: 65536 }) },
  { required: ['inlineCode'] },
);

export const TrafficExtension = message(
  'A filter that runs in the proxies of some workloads: one of `wasm` and `lua`.',
  {
    ...policyTarget,
    phase: choice(
      ['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS'],
      'Where it stands among the filters: before authentication, before authorization, or before statistics. Default: at the end, before the router.',
    ),
    priority: int32('Order within the phase: higher ones come first. Default: 0.'),
    match: list(TrafficSelector, 'Which requests it sees: those that meet any of these. Default: all.'),
    wasm: WasmConfig,
    lua: LuaConfig,
  },
  {
    oneOf: [
      ['selector', 'targetRefs'],
      ['wasm', 'lua'],
    ],
  },
);

export type TrafficExtension = Static<typeof TrafficExtension>;

export const trafficExtension = defineKind({
  kind: 'TrafficExtension',
  group: 'extensions.istio.io',
  versions: ['v1alpha1'],
  plural: 'trafficextensions',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Adds a Wasm or Lua filter to the proxies of workloads.',
  payload: 'spec',
  schema: TrafficExtension,
  unknownFields: 'refuse',
});
