/**
 * The vocabulary that kinds are declared in: short functions that make TypeBox schemas.
 *
 * TypeBox gives the types (`Static`) and the shape of the schemas (plain JSON Schema objects with a hidden `~kind`). Its own
 * builders are not imported: loading the package costs 80 ms, more than a whole offline command may take. The objects made here
 * are the same ones, property by property; test/config/kinds/schema.test.ts holds them to that.
 *
 * Keywords beyond JSON Schema: `x-oneof` (groups of fields of which at most one may be set), `x-minimum-duration` (a Go duration),
 * `x-deprecated-values` (of an enum), and `format: "duration"`, which here means Go's notation, not ISO 8601 (see ../duration.ts).
 */
import type {
  TArray,
  TBoolean,
  TEnum,
  TInteger,
  TNumber,
  TObject,
  TOptional,
  TProperties,
  TRecord,
  TSchema,
  TString,
  TUnion,
  TUnknown,
} from 'typebox';

/** What any schema may say besides its type and description. */
export interface SchemaOptions {
  deprecated?: true;
  /** The value that an absent field stands for, when it is one fixed value. */
  default?: unknown;
}

export interface StringOptions extends SchemaOptions {
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

export interface NumberOptions extends SchemaOptions {
  minimum?: number;
  maximum?: number;
}

export interface ListOptions extends SchemaOptions {
  minItems?: number;
  maxItems?: number;
}

export interface MapOptions extends SchemaOptions {
  minProperties?: number;
  maxProperties?: number;
  /** What keys must look like. */
  propertyNames?: { pattern: string };
}

export interface ObjectOptions<Required extends string = string> extends SchemaOptions {
  /** Fields that must be there; all others are optional. */
  required?: readonly Required[];
  /** Groups of fields of which at most one may be set: protobuf's oneofs, and what the CRDs forbid to combine. */
  oneOf?: readonly (readonly string[])[];
}

/** Fields are optional unless `Required` names them. */
export type Fields<Properties extends TProperties, Required> = {
  [Key in keyof Properties]: Key extends Required ? Properties[Key] : TOptional<Properties[Key]>;
};

/** A map with string keys. */
export type TMap<Value extends TSchema> = TRecord<'^.*$', Value>;

function make<Schema extends TSchema>(kind: string, keywords: object): Schema {
  return Object.defineProperty(keywords, '~kind', { configurable: true, writable: true, enumerable: false, value: kind }) as Schema;
}

function copy<Schema extends TSchema>(schema: Schema): Schema {
  const kind = (schema as unknown as { '~kind': string })['~kind'];
  return make<Schema>(kind, { ...schema });
}

export function string(description: string, options?: StringOptions): TString {
  return make('String', { type: 'string', description, ...options });
}

export function boolean(description: string, options?: SchemaOptions): TBoolean {
  return make('Boolean', { type: 'boolean', description, ...options });
}

export function integer(description: string, options?: NumberOptions): TInteger {
  return make('Integer', { type: 'integer', description, ...options });
}

/** protobuf's int32. */
export function int32(description: string, options?: NumberOptions): TInteger {
  return integer(description, { minimum: -2147483648, maximum: 2147483647, ...options });
}

/** protobuf's uint32. */
export function uint32(description: string, options?: NumberOptions): TInteger {
  return integer(description, { minimum: 0, maximum: 4294967295, ...options });
}

/** A TCP port. 0 passes: protobuf cannot tell it from an absent one, so rules of the kind decide. */
export function port(description: string, options?: NumberOptions): TInteger {
  return integer(description, { minimum: 0, maximum: 65535, ...options });
}

/** protobuf's double and float. */
export function double(description: string, options?: NumberOptions): TNumber {
  return make('Number', { type: 'number', description, ...options });
}

/** protobuf's int64, which its JSON form writes as a string and reads as either. */
export function int64(description: string, options?: SchemaOptions): TUnion<[TInteger, TString]> {
  const anyOf = [make('Integer', { type: 'integer' }), make('String', { type: 'string', pattern: '^-?[0-9]{1,19}$' })];
  return make('Union', { anyOf, description, ...options });
}

/** An integer, or a name or number as a string: Kubernetes' IntOrString. */
export function intOrString(description: string, options?: SchemaOptions): TUnion<[TInteger, TString]> {
  return make('Union', { anyOf: [make('Integer', { type: 'integer' }), make('String', { type: 'string' })], description, ...options });
}

/** A Go duration, such as `1.5s` or `1h30m`: at least 1 ms, unless `zero` lets it be 0. */
export function duration(description: string, options?: SchemaOptions & { zero?: true }): TString {
  const { zero, ...rest } = options ?? {};
  return make('String', { type: 'string', format: 'duration', ...(zero ? {} : { 'x-minimum-duration': '1ms' }), description, ...rest });
}

/** One of `values`, upper and lower case as written. */
export function choice<const Values extends readonly string[]>(
  values: Values,
  description: string,
  options?: SchemaOptions & { deprecatedValues?: readonly Values[number][] },
): TEnum<[...Values]> {
  const { deprecatedValues, ...rest } = options ?? {};
  return make('Enum', { enum: values, description, ...(deprecatedValues ? { 'x-deprecated-values': deprecatedValues } : {}), ...rest });
}

export function list<Items extends TSchema>(items: Items, description: string, options?: ListOptions): TArray<Items> {
  return make('Array', { type: 'array', items, description, ...options });
}

export function strings(description: string, options?: ListOptions & { items?: StringOptions }): TArray<TString> {
  const { items, ...rest } = options ?? {};
  return list(make<TString>('String', { type: 'string', ...items }), description, rest);
}

export function map<Value extends TSchema>(values: Value, description: string, options?: MapOptions): TMap<Value> {
  return make('Record', { type: 'object', patternProperties: { '^.*$': values }, description, ...options });
}

/** A map of strings, such as labels. */
export function stringMap(description: string, options?: MapOptions & { values?: StringOptions }): TMap<TString> {
  const { values, ...rest } = options ?? {};
  return map(make<TString>('String', { type: 'string', ...values }), description, rest);
}

/** Any object: protobuf's Struct. */
export function struct(description: string, options?: SchemaOptions): TMap<TUnknown> {
  return map(make<TUnknown>('Unknown', {}), description, options);
}

function object<Properties extends TProperties, Required extends string>(
  description: string,
  properties: Properties,
  { required, oneOf, ...rest }: ObjectOptions<Required>,
  more: object,
): TObject<Fields<Properties, Required>> {
  const fields: Record<string, TSchema> = {};
  for (const [name, schema] of Object.entries(properties)) {
    fields[name] = required?.includes(name as Required)
      ? schema
      : Object.defineProperty(copy(schema), '~optional', { configurable: true, writable: true, enumerable: false, value: true });
  }
  return make('Object', {
    type: 'object',
    ...(required && required.length > 0 ? { required: Object.keys(properties).filter((name) => required.includes(name as Required)) } : {}),
    properties: fields,
    ...more,
    ...(oneOf ? { 'x-oneof': oneOf } : {}),
    description,
    ...rest,
  });
}

/** An object that takes no other fields than these. */
export function message<Properties extends TProperties, const Required extends string & keyof Properties = never>(
  description: string,
  properties: Properties,
  options: ObjectOptions<Required> = {},
): TObject<Fields<Properties, Required>> {
  return object(description, properties, options, { additionalProperties: false });
}

/** An object of which only some fields are declared; others pass. */
export function open<Properties extends TProperties, const Required extends string & keyof Properties = never>(
  description: string,
  properties: Properties,
  options: ObjectOptions<Required> = {},
): TObject<Fields<Properties, Required>> {
  return object(description, properties, options, {});
}

/** `schema` with a description of what it is for at this place. */
export function as<Schema extends TSchema>(schema: Schema, description: string, options?: SchemaOptions): Schema {
  return Object.assign(copy(schema), { description, ...options });
}
