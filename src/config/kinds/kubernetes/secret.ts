import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, open, string, stringMap } from '../schema.ts';

export const Secret = open('Keys, certificates and the like.', {
  type: string('What it holds: `kubernetes.io/tls`, `Opaque` (the default), …'),
  data: stringMap('Values as base64, by key: `tls.crt`, `tls.key`, `ca.crt`, `ca.crl`.'),
  stringData: stringMap('Values as text, by key; they go before `data`.'),
  immutable: boolean('Cannot be changed. Default: false.'),
});

export type Secret = Static<typeof Secret>;

export const secret = defineKind({
  kind: 'Secret',
  group: '',
  versions: ['v1'],
  plural: 'secrets',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Keys, certificates and the like; gateways take theirs from here.',
  payload: 'object',
  schema: Secret,
  unknownFields: 'allow',
});
