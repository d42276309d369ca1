import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, open, stringMap } from '../schema.ts';

export const ConfigMap = open('Settings and files.', {
  data: stringMap('Values as text, by key. Keys `mesh` and `meshNetworks` of ConfigMap `istio` hold the settings of the mesh.'),
  binaryData: stringMap('Values as base64, by key.'),
  immutable: boolean('Cannot be changed. Default: false.'),
});

export type ConfigMap = Static<typeof ConfigMap>;

export const configMap = defineKind({
  kind: 'ConfigMap',
  group: '',
  versions: ['v1'],
  plural: 'configmaps',
  shortNames: ['cm'],
  scope: 'Namespaced',
  description: 'Settings and files; the settings of the mesh among them.',
  payload: 'object',
  schema: ConfigMap,
  unknownFields: 'allow',
});
