import type { TSchema } from 'typebox';
import type { Kind } from './kind.ts';

/** A JSON Schema document or a part of one. */
export interface JsonSchema {
  [keyword: string]: unknown;
}

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** Go's durations. JSON Schema's own format `duration` is ISO 8601, so it cannot stand in a document for editors. */
const DURATION = '^[-+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$';

/** Keywords of ours that say more than JSON Schema can, or that are written in another way. */
const OWN = new Set([
  'format',
  'properties',
  'patternProperties',
  'items',
  'anyOf',
  'x-oneof',
  'x-minimum-duration',
  'x-deprecated-values',
]);

/** A declaration (see schema.ts) in plain JSON Schema 2020-12, as editors read it. */
export function toJsonSchema(schema: TSchema): JsonSchema {
  const source = schema as unknown as JsonSchema;
  const target: JsonSchema = {};
  for (const [keyword, value] of Object.entries(source)) if (!OWN.has(keyword)) target[keyword] = value;
  if (source['format'] === 'duration') target['pattern'] = DURATION;
  if (source['properties']) {
    target['properties'] = Object.fromEntries(
      Object.entries(source['properties'] as Record<string, TSchema>).map(([name, field]) => [name, toJsonSchema(field)]),
    );
  }
  if (source['patternProperties'])
    target['additionalProperties'] = toJsonSchema((source['patternProperties'] as { '^.*$': TSchema })['^.*$']);
  if (source['items']) target['items'] = toJsonSchema(source['items'] as TSchema);
  if (source['anyOf']) target['anyOf'] = (source['anyOf'] as TSchema[]).map(toJsonSchema);
  if (source['x-oneof']) target['allOf'] = (source['x-oneof'] as string[][]).flatMap(atMostOne);
  return target;
}

/** For each pair of the fields: not both. */
function atMostOne(fields: readonly string[]): JsonSchema[] {
  return fields.flatMap((a, i) => fields.slice(i + 1).map((b) => ({ not: { required: [a, b] } })));
}

const text = (description: string): JsonSchema => ({ type: 'string', description });
const texts = (description: string): JsonSchema => ({ type: 'object', description, additionalProperties: { type: 'string' } });

function metadata(kind: Kind): JsonSchema {
  return {
    type: 'object',
    description: 'Name, labels and the like.',
    properties: {
      name: text(kind.scope === 'Cluster' ? 'Name of the object.' : 'Name of the object, unique within its namespace.'),
      ...(kind.scope === 'Cluster' ? {} : { namespace: text('Namespace of the object. Default: `default`.') }),
      labels: texts('Labels that others select the object by.'),
      annotations: texts('Further notes on the object.'),
    },
  };
}

/**
 * The JSON Schema 2020-12 document of a kind's whole objects, for editors and for others that validate: apiVersion, kind, metadata, and
 * the payload, each field with its description. Rules that compare fields, such as weights that add up, are not in it.
 */
export function schemaDocument(kind: Kind): JsonSchema {
  const payload = toJsonSchema(kind.schema);
  const whole = kind.payload === 'object';
  const payloadRequired = (payload['required'] as string[] | undefined) ?? [];
  return {
    $schema: DRAFT,
    title: kind.kind,
    description: kind.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', ...(whole ? payloadRequired : payloadRequired.length > 0 ? ['spec'] : [])],
    properties: {
      apiVersion: {
        description: 'API group and version.',
        enum: kind.versions.map((version) => (kind.group === '' ? version : `${kind.group}/${version}`)),
      },
      kind: { description: 'The kind of object.', const: kind.kind },
      metadata: metadata(kind),
      ...(whole
        ? (payload['properties'] as JsonSchema)
        : { spec: payload, status: { type: 'object', description: 'What became of the object; written by controllers.' } }),
    },
    ...(kind.unknownFields === 'refuse' ? { additionalProperties: false } : {}),
    ...(whole && payload['allOf'] ? { allOf: payload['allOf'] } : {}),
  };
}

/** The JSON Schema document of something that is no kind, such as MeshConfig. */
export function plainDocument(title: string, schema: TSchema): JsonSchema {
  return { $schema: DRAFT, title, ...toJsonSchema(schema) };
}
