import Type from 'typebox';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as own from '../../../src/config/kinds/schema.ts';

/** An object with its hidden properties, for comparison. */
function laidBare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(laidBare);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.getOwnPropertyNames(value)
      .sort()
      .map((name) => [
        name,
        [Object.getOwnPropertyDescriptor(value, name)?.enumerable, laidBare((value as Record<string, unknown>)[name])],
      ]),
  );
}

const description = 'Words.';
const pairs: [name: string, own: unknown, typebox: unknown][] = [
  ['string', own.string(description, { minLength: 1 }), Type.String({ description, minLength: 1 })],
  ['boolean', own.boolean(description), Type.Boolean({ description })],
  ['integer', own.integer(description, { minimum: 1 }), Type.Integer({ description, minimum: 1 })],
  ['int32', own.int32(description), Type.Integer({ description, minimum: -(2 ** 31), maximum: 2 ** 31 - 1 })],
  ['uint32', own.uint32(description), Type.Integer({ description, minimum: 0, maximum: 2 ** 32 - 1 })],
  ['double', own.double(description), Type.Number({ description })],
  ['int64', own.int64(description), Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,19}$' })], { description })],
  ['intOrString', own.intOrString(description), Type.Union([Type.Integer(), Type.String()], { description })],
  ['duration', own.duration(description), Type.String({ description, format: 'duration', 'x-minimum-duration': '1ms' })],
  ['duration with zero', own.duration(description, { zero: true }), Type.String({ description, format: 'duration' })],
  ['choice', own.choice(['A', 'B'], description), Type.Enum(['A', 'B'], { description })],
  ['list', own.list(own.boolean(description), description), Type.Array(Type.Boolean({ description }), { description })],
  ['strings', own.strings(description, { maxItems: 2 }), Type.Array(Type.String(), { description, maxItems: 2 })],
  ['map', own.map(own.boolean(description), description), Type.Record(Type.String(), Type.Boolean({ description }), { description })],
  ['stringMap', own.stringMap(description), Type.Record(Type.String(), Type.String(), { description })],
  ['struct', own.struct(description), Type.Record(Type.String(), Type.Unknown(), { description })],
  ['as', own.as(own.boolean('other'), description), Type.Boolean({ description })],
  [
    'message',
    own.message(description, { b: own.boolean(description), a: own.string(description) }, { required: ['a'], oneOf: [['a', 'b']] }),
    Type.Object(
      { b: Type.Optional(Type.Boolean({ description })), a: Type.String({ description }) },
      { additionalProperties: false, 'x-oneof': [['a', 'b']], description },
    ),
  ],
  [
    'open',
    own.open(description, { a: own.string(description) }),
    Type.Object({ a: Type.Optional(Type.String({ description })) }, { description }),
  ],
];

for (const [name, mine, theirs] of pairs) test(`${name} is what TypeBox makes`, () => assert.equal(laidBare(mine), laidBare(theirs)));

test('a schema can stand in several places with descriptions of their own', () => {
  const shared = own.message('Shared.', { a: own.string('A.') });
  const outer = own.message('Outer.', { one: own.as(shared, 'One.'), two: shared }, { required: ['two'] });
  assert.is(outer.properties.one['description' as never], 'One.');
  assert.is(outer.properties.two['description' as never], 'Shared.');
  assert.equal(outer.required, ['two']);
});

test.run();
