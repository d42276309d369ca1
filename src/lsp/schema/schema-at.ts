import type { Kind } from '../../config/kinds/kind.ts';
import { schemaDocument } from '../../config/kinds/schema-document.ts';
import type { FieldPath } from '../../config/resource.ts';

/** A schema as it is declared (see config/kinds/schema.ts), read as plain data. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly deprecated?: boolean;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-oneof'?: readonly (readonly string[])[];
  readonly 'x-deprecated-values'?: readonly unknown[];
}

const roots = new WeakMap<Kind, Schema>();

/** The schema of a kind's whole objects: apiVersion, kind, metadata and the payload as it is declared. */
export function objectSchema(kind: Kind): Schema {
  let root = roots.get(kind);
  if (root === undefined) {
    const { properties, required } = schemaDocument(kind) as { properties: Record<string, Schema>; required: string[] };
    const payload = kind.schema as Schema;
    const own = kind.payload === 'spec' ? { spec: payload } : (payload.properties ?? {});
    root = { type: 'object', description: kind.description, required, properties: { ...properties, ...own } };
    roots.set(kind, root);
  }
  return root;
}

/** The schema of one step down; undefined when nothing is declared there. */
export function childSchema(schema: Schema, step: string | number): Schema | undefined {
  if (typeof step === 'number') {
    if (schema.items !== undefined) return schema.items;
  } else {
    if (schema.properties !== undefined && Object.hasOwn(schema.properties, step)) return schema.properties[step];
    if (schema.patternProperties !== undefined) return Object.values(schema.patternProperties)[0];
    if (typeof schema.additionalProperties === 'object') return schema.additionalProperties;
  }
  for (const alternative of schema.anyOf ?? []) {
    const found = childSchema(alternative, step);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The schemas along `path` from the whole object, that of the last step last; undefined when one is not declared. */
export function schemaAt(kind: Kind, path: FieldPath): Schema | undefined {
  let schema: Schema | undefined = objectSchema(kind);
  for (const step of path) {
    schema = childSchema(schema, step);
    if (schema === undefined) return undefined;
  }
  return schema;
}

/** The fields that an object may have; none for maps and scalars. */
export function fieldsOf(schema: Schema): Readonly<Record<string, Schema>> {
  if (schema.properties !== undefined) return schema.properties;
  return Object.assign({}, ...(schema.anyOf ?? []).map(fieldsOf)) as Record<string, Schema>;
}

/** The values that are allowed, when they are few and known. */
export function valuesOf(schema: Schema): readonly unknown[] {
  if (schema.enum !== undefined) return schema.enum;
  if (schema.const !== undefined) return [schema.const];
  return schema.type === 'boolean' ? [true, false] : [];
}
