import { readdirSync, readFileSync } from 'node:fs';
import type { TSchema } from 'typebox';
import Format from 'typebox/format';
import Value from 'typebox/value';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { parseDuration } from '../../../src/config/duration.ts';
import { MeshConfig, MeshNetworks } from '../../../src/config/kinds/mesh-config.ts';
import { findKind, kinds } from '../../../src/config/kinds/registry.ts';

// TypeBox itself is the judge here. Its own `duration` is ISO 8601; ours is Go's.
Format.Set('duration', (value) => parseDuration(value) !== undefined);

/** JSON Schema as TypeBox keeps it, for walking. */
interface Node {
  type?: string;
  description?: string;
  properties?: Record<string, Node>;
  required?: string[];
  additionalProperties?: boolean;
  patternProperties?: { '^.*$': Node };
  items?: Node;
  anyOf?: Node[];
  enum?: string[];
  format?: string;
  minimum?: number;
  maxLength?: number;
  pattern?: string;
  propertyNames?: { pattern: string };
  deprecated?: boolean;
  'x-oneof'?: string[][];
}

/** What is declared, by the name of its file of examples. */
interface Declared {
  schema: Node;
  refuses: boolean;
  examples: unknown[];
}

const folder = new URL('./examples/', import.meta.url);
const declared = new Map<string, Declared>();
const exampleOf = new Map<string, string>();
for (const file of readdirSync(folder).sort()) {
  const documents = parseAllDocuments(readFileSync(new URL(file, folder), 'utf8'));
  for (const document of documents)
    if ('errors' in document)
      assert.equal(
        document.errors.map((e) => e.message),
        [],
        file,
      );
  const objects = (documents as { toJS(): unknown }[]).map((d) => d.toJS() as Record<string, unknown>);
  const plain = { 'mesh-config.yaml': MeshConfig, 'mesh-networks.yaml': MeshNetworks }[file] as TSchema | undefined;
  if (plain) {
    declared.set(file, { schema: plain as unknown as Node, refuses: true, examples: objects });
    continue;
  }
  const found = objects.map((o) => findKind(String(o['apiVersion']), String(o['kind'])));
  const kind = found[0];
  assert.ok(kind !== undefined && found.every((k) => k === kind), `${file} holds objects of one kind that is known`);
  exampleOf.set(`${kind.group}/${kind.kind}`, file);
  declared.set(file, {
    schema: kind.schema as unknown as Node,
    refuses: kind.unknownFields === 'refuse',
    examples: objects.map((o) => (kind.payload === 'spec' ? o['spec'] : o)),
  });
}

/** Each object schema once, with the way to it: `['http', '[]', 'match', '[]', 'headers', '{}']`. */
function objects(schema: Node, way: string[] = [], seen = new Set<unknown>(), found: { way: string[]; node: Node }[] = []): typeof found {
  if (schema.properties) {
    if (seen.has(schema.properties)) return found;
    seen.add(schema.properties);
    found.push({ way, node: schema });
    for (const [name, field] of Object.entries(schema.properties)) objects(field, [...way, name], seen, found);
  }
  if (schema.items) objects(schema.items, [...way, '[]'], seen, found);
  if (schema.patternProperties) objects(schema.patternProperties['^.*$'], [...way, '{}'], seen, found);
  return found;
}

/** The least value that a schema takes; with `fill`, along `way` there is more of it, and its end is given to `edit`. */
function sample(schema: Node, way: readonly string[], edit: (value: Record<string, unknown>) => void): unknown {
  const [step, ...rest] = way;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sample(schema.anyOf[0]!, way, edit);
  switch (schema.type) {
    case 'array':
      return [sample(schema.items!, step === '[]' ? rest : [], step === '[]' ? edit : () => {})];
    case 'object': {
      if (schema.patternProperties) {
        const key = schema.propertyNames?.pattern.startsWith('^[0-9]') ? '80' : 'key';
        return { [key]: sample(schema.patternProperties['^.*$'], step === '{}' ? rest : [], step === '{}' ? edit : () => {}) };
      }
      const value: Record<string, unknown> = {};
      for (const name of schema.required ?? []) value[name] = sample(schema.properties![name]!, [], () => {});
      if (step === undefined) edit(value);
      else value[step] = sample(schema.properties![step]!, rest, edit);
      return value;
    }
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1);
    case 'string':
      if (schema.format === 'duration') return '1s';
      return schema.maxLength === 0 ? '' : schema.pattern?.includes('{64}') ? '' : schema.pattern?.includes('(h|m|s|ms)') ? '1s' : 'abc';
    default:
      return 'anything';
  }
}

const check = (schema: Node, value: unknown): boolean => Value.Check(schema as unknown as TSchema, value);
const errors = (schema: Node, value: unknown): string =>
  Value.Errors(schema as unknown as TSchema, value)
    .map((e) => `${e.instancePath}: ${e.message} ${JSON.stringify(e.params)}`)
    .join('\n');

/** Marks in `used` every declared field that a value uses. */
function mark(schema: Node, value: unknown, used: Set<string>, ids: Map<unknown, number>): void {
  if (value === null || typeof value !== 'object') return;
  if (schema.properties) {
    for (const [name, field] of Object.entries(schema.properties)) {
      if (!Object.hasOwn(value, name)) continue;
      used.add(`${id(schema, ids)} ${name}`);
      mark(field, (value as Record<string, unknown>)[name], used, ids);
    }
  }
  if (schema.items) for (const item of value as unknown[]) mark(schema.items, item, used, ids);
  if (schema.patternProperties) for (const item of Object.values(value)) mark(schema.patternProperties['^.*$'], item, used, ids);
}

function id(schema: Node, ids: Map<unknown, number>): number {
  if (!ids.has(schema.properties)) ids.set(schema.properties, ids.size);
  return ids.get(schema.properties)!;
}

test('every kind has examples', () => {
  for (const kind of kinds) assert.ok(exampleOf.has(`${kind.group}/${kind.kind}`), `${kind.group}/${kind.kind}`);
});

for (const [file, { schema, refuses, examples }] of declared) {
  test(`${file}: the examples are accepted`, () => {
    for (const example of examples) assert.is(errors(schema, example), '');
    for (const { node } of objects(schema)) {
      for (const group of node['x-oneof'] ?? [])
        for (const field of group) assert.ok(node.properties?.[field], `${field} of an x-oneof is declared`);
    }
  });

  test(`${file}: the examples use every field`, () => {
    const used = new Set<string>();
    const ids = new Map<unknown, number>();
    for (const example of examples) mark(schema, example, used, ids);
    const unused = objects(schema).flatMap(({ way, node }) =>
      Object.keys(node.properties ?? {})
        .filter((name) => !used.has(`${id(node, ids)} ${name}`))
        .map((name) => [...way, name].join('.')),
    );
    assert.equal(unused, []);
  });

  test(`${file}: the examples set one of what excludes each other`, () => {
    const walk = (node: Node, value: unknown, path: string): void => {
      if (value === null || typeof value !== 'object') return;
      for (const group of node['x-oneof'] ?? []) {
        assert.ok(group.filter((field) => Object.hasOwn(value, field)).length <= 1, `${path}: ${group}`);
      }
      for (const [name, field] of Object.entries(node.properties ?? {}))
        walk(field, (value as Record<string, unknown>)[name], `${path}.${name}`);
      if (node.items) for (const item of value as unknown[]) walk(node.items, item, `${path}[]`);
      if (node.patternProperties) for (const item of Object.values(value)) walk(node.patternProperties['^.*$'], item, `${path}{}`);
    };
    for (const example of examples) walk(schema, example, '');
  });

  test(`${file}: an unknown field is ${refuses ? 'refused' : 'let pass'} at each level`, () => {
    for (const { way } of objects(schema)) {
      const plain = sample(schema, way, () => {});
      assert.is(errors(schema, plain), '', `without it, at ${way.join('.')}`);
      const odd = sample(schema, way, (value) => Object.assign(value, { notAField: 1 }));
      assert.not.equal(odd, plain, 'it was put in');
      assert.is(check(schema, odd), !refuses, `at ${way.join('.') || 'the top'}`);
    }
  });

  test(`${file}: enums take their values and no others; required fields are missed; types are held`, () => {
    for (const { way, node } of objects(schema)) {
      for (const [name, field] of Object.entries(node.properties ?? {})) {
        const put = (content: unknown): boolean =>
          check(
            schema,
            sample(schema, way, (value) => Object.assign(value, { [name]: content })),
          );
        const where = [...way, name].join('.');
        for (const value of field.enum ?? []) assert.ok(put(value), `${where}: ${value}`);
        if (field.enum)
          for (const value of [
            'not-a-value',
            field.enum.at(-1)?.toLowerCase() === field.enum.at(-1) ? 'X' : field.enum.at(-1)?.toLowerCase(),
            0,
          ])
            assert.not(put(value), `${where}: ${value}`);
        if (field.format === 'duration') for (const value of ['1d', '5', 5]) assert.not(put(value), `${where}: ${value}`);
        if (field.type !== undefined) assert.not(put(Symbol('of no type')), `${where} takes anything`);
        assert.ok((field.description ?? '').endsWith('.') || (field.description ?? '').endsWith('…'), `${where} has no description`);
      }
      for (const name of node.required ?? []) {
        const without = sample(schema, way, (value) => Reflect.deleteProperty(value, name));
        assert.not(check(schema, without), `${[...way, name].join('.')} is required`);
      }
    }
  });
}

test.run();
