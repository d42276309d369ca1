/** CustomResourceDefinitions of the mesh's own kinds, generated from their declarations. Compatible with Istio's: same names, versions and scope. */
import type { Kind } from '../config/kinds/kind.ts';
import { schemaDocument } from '../config/kinds/schema-document.ts';

type Json = Record<string, unknown>;

/** A CustomResourceDefinition of apiextensions.k8s.io/v1. */
export interface CustomResourceDefinitionManifest {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string; labels: Record<string, string> };
  spec: Json;
}

/** Istio's category of its policies and rules, as in `kubectl get istio-io`. */
const CATEGORIES = ['istio-io'];

const text = (description: string): Json => ({ type: 'string', description });
const time = (description: string): Json => ({ type: 'string', format: 'date-time', description });
const generation = (description: string): Json => ({ 'x-kubernetes-int-or-string': true, description });

/** As Istio's definitions have it: https://istio.io/latest/docs/reference/config/meta/v1beta1/istio-status/ */
const STATUS: Json = {
  type: 'object',
  description: 'What became of it.',
  properties: {
    conditions: {
      type: 'array',
      description: 'How it is, by type.',
      items: {
        type: 'object',
        properties: {
          type: text('What it is about.'),
          status: text('True, False or Unknown.'),
          reason: text('Why, in one word.'),
          message: text('Why, for people.'),
          lastProbeTime: time('When it was last looked at.'),
          lastTransitionTime: time('When `status` became another one.'),
          observedGeneration: generation('The generation of the object that it is about.'),
        },
      },
    },
    observedGeneration: generation('The generation of the object that `conditions` are about.'),
    validationMessages: {
      type: 'array',
      description: 'Findings of Istio’s analyzers.',
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
  // Addresses of ServiceEntries, and what later versions have.
  'x-kubernetes-preserve-unknown-fields': true,
};

/** The definition of a kind; all its versions have the same schema, and the preferred one is stored. */
export function customResourceDefinition(kind: Kind): CustomResourceDefinitionManifest {
  const { properties } = schemaDocument(kind) as { properties: { spec: Json } };
  const openAPIV3Schema = {
    type: 'object',
    description: kind.description,
    properties: { spec: structural(properties.spec), status: STATUS },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      // Istio's own installation knows its definitions by these.
      labels: { 'app.kubernetes.io/part-of': 'fairlead', 'app.kubernetes.io/managed-by': 'fairlead' },
    },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        categories: CATEGORIES,
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
      },
      scope: kind.scope,
      versions: kind.versions.map((name, i) => ({
        name,
        served: true,
        storage: i === 0,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
        schema: { openAPIV3Schema },
      })),
    },
  };
}

/** The definitions of all kinds that are Istio's own. */
export function customResourceDefinitions(kinds: readonly Kind[]): CustomResourceDefinitionManifest[] {
  return kinds.filter(({ group }) => group.endsWith('.istio.io')).map(customResourceDefinition);
}

/** Keywords that OpenAPI 3.0 has with the same meaning, and that a structural schema may have. */
const SAME = [
  'type',
  'description',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
];

/**
 * A JSON Schema as a structural schema:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 * Of `anyOf` only a number or string is left, and of unknown values anything. Defaults are not in it: they would be written into objects.
 */
function structural(schema: Json): Json {
  const out: Json = {};
  for (const keyword of SAME) if (schema[keyword] !== undefined) out[keyword] = schema[keyword];
  if (Array.isArray(schema['enum'])) Object.assign(out, { type: 'string', enum: schema['enum'] });
  if (Array.isArray(schema['anyOf'])) return { ...out, 'x-kubernetes-int-or-string': true };
  if (out['type'] === 'array') out['items'] = structural((schema['items'] ?? {}) as Json);
  if (out['type'] === 'object') Object.assign(out, structuralObject(schema));
  // A value of any type has none.
  if (out['type'] === undefined) out['x-kubernetes-preserve-unknown-fields'] = true;
  return out;
}

function structuralObject(schema: Json): Json {
  const properties = schema['properties'] as Record<string, Json> | undefined;
  const values = schema['additionalProperties'] ?? Object.values((schema['patternProperties'] ?? {}) as Json)[0];
  if (properties === undefined || Object.keys(properties).length === 0) {
    if (values !== undefined && values !== false && Object.keys(values as object).length > 0)
      return { additionalProperties: structural(values as Json) };
    return values === false ? {} : { 'x-kubernetes-preserve-unknown-fields': true };
  }
  const fields = Object.entries(properties).map(([name, field]) => [name, structural(field)]);
  const required = schema['required'] as string[] | undefined;
  return {
    properties: Object.fromEntries(fields),
    ...(required !== undefined && required.length > 0 ? { required } : {}),
    ...(schema['allOf'] === undefined ? {} : { allOf: schema['allOf'] }),
    ...(schema['additionalProperties'] === false ? {} : { 'x-kubernetes-preserve-unknown-fields': true }),
  };
}
