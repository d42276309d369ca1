/**
 * Writers of messages from their protobuf JSON (https://protobuf.dev/programming-guides/json/), compiled from the descriptors when first used:
 * no message objects are made in between. Fields are written in the order of the JSON.
 */
import type { DescField, DescMessage, Registry } from '@bufbuild/protobuf';
import type { WireBuffer } from './encode-buffer.ts';
import { enumWriter, SCALARS, type ScalarWriter } from './encode-scalar.ts';
import { type WriteMessage, wellKnownWriter } from './encode-well-known.ts';

/** protobuf.FeatureSet.FieldPresence.IMPLICIT */
const IMPLICIT = 2;
const LENGTH = 2;

type JsonObject = Record<string, unknown>;

interface FieldWriter {
  write(out: WireBuffer, value: unknown): void;
  /** One bit for each oneof of the message; 0 outside of them. */
  oneof: number;
  /** null means something. */
  takesNull: boolean;
}

export interface MessageWriters {
  /** Throws a TypeError on JSON that is no such message, and on what the wire format allows but Envoy's API does not use. */
  writerOf(desc: DescMessage): WriteMessage;
}

/**
 * @param shared messages whose encoded form is kept with the JSON object: large ones that are parts of larger ones, and mostly stay the same
 */
export function messageWriters(
  registry: Registry,
  shared: ReadonlySet<string>,
  keep: (desc: DescMessage, json: object) => Uint8Array,
): MessageWriters {
  const writers = new Map<DescMessage, WriteMessage>();

  function writerOf(desc: DescMessage): WriteMessage {
    let writer = writers.get(desc);
    if (writer === undefined) {
      writer = wellKnownWriter(desc, (name) => messageNamed(name)) ?? fieldsWriter(desc);
      writers.set(desc, writer);
    }
    return writer;
  }

  function messageNamed(name: string): { write: WriteMessage; wellKnown: boolean } | undefined {
    const desc = registry.getMessage(name);
    return desc && { write: writerOf(desc), wellKnown: wellKnownWriter(desc, messageNamed) !== undefined };
  }

  function fieldsWriter(desc: DescMessage): WriteMessage {
    const fields = new Map<string, FieldWriter>();
    const fieldOf = (key: string): FieldWriter | undefined => {
      let field = fields.get(key);
      if (field === undefined) {
        const found = desc.fields.find((f) => f.jsonName === key || f.name === key);
        field = found && fieldWriter(desc, found);
        if (field) fields.set(key, field);
      }
      return field;
    };
    return (out, json) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new TypeError(`${desc.typeName} is no object`);
      let seen = 0;
      for (const key in json) {
        const value = (json as JsonObject)[key];
        if (value === undefined) continue;
        const field = fieldOf(key);
        if (field === undefined) {
          // An Any's own key stands among the fields.
          if (key === '@type') continue;
          throw new TypeError(`${desc.typeName} has no field ${key}`);
        }
        if (value === null && !field.takesNull) continue;
        if ((seen & field.oneof) !== 0) throw new TypeError(`${desc.typeName}: ${key} and another of the same oneof`);
        seen |= field.oneof;
        field.write(out, value);
      }
    };
  }

  function fieldWriter(desc: DescMessage, field: DescField): FieldWriter {
    const index = field.oneof ? desc.oneofs.indexOf(field.oneof) : -1;
    if (index > 30) throw new TypeError(`${desc.typeName} has too many oneofs`);
    return { write: writeOf(field), oneof: index < 0 ? 0 : 1 << index, takesNull: takesNull(field) };
  }

  function writeOf(field: DescField): FieldWriter['write'] {
    if (field.fieldKind === 'list') return listWriter(field);
    if (field.fieldKind === 'map') return mapWriter(field);
    if (field.fieldKind === 'message') return delimited(field.number, elementWriter(field.message));
    const scalar = scalarOf(field);
    const tag = (field.number << 3) | scalar.wire;
    const implicit = field.presence === IMPLICIT;
    return (out, value) => {
      const start = out.position();
      out.varint(tag);
      scalar.write(out, value);
      // Checked first, written after: a wrong value is wrong even where nothing is written.
      if (implicit && scalar.isDefault(value)) out.rewind(start);
    };
  }

  function elementWriter(desc: DescMessage): WriteMessage {
    const write = writerOfLate(desc);
    if (!shared.has(desc.typeName)) return write;
    return (out, json) => {
      if (typeof json !== 'object' || json === null) throw new TypeError(`${desc.typeName} is no object`);
      out.raw(keep(desc, json));
    };
  }

  /** Messages may contain themselves. */
  function writerOfLate(desc: DescMessage): WriteMessage {
    let write: WriteMessage | undefined;
    return (out, json) => {
      write ??= writerOf(desc);
      write(out, json);
    };
  }

  function listWriter(field: DescField & { fieldKind: 'list' }): FieldWriter['write'] {
    const elements = (value: unknown): readonly unknown[] => {
      if (!Array.isArray(value)) throw new TypeError(`${field} is no list`);
      return value;
    };
    if (field.listKind === 'message') {
      const write = delimited(field.number, elementWriter(field.message));
      const nulls = takesNull(field);
      return (out, value) => {
        for (const element of elements(value)) {
          if (element === null && !nulls) throw new TypeError(`null in ${field}`);
          write(out, element);
        }
      };
    }
    const scalar = scalarOf(field);
    if (field.packed)
      return delimited(
        field.number,
        (out, value) => {
          for (const element of elements(value)) scalar.write(out, element);
        },
        (value) => elements(value).length === 0,
      );
    const tag = (field.number << 3) | scalar.wire;
    return (out, value) => {
      for (const element of elements(value)) {
        out.varint(tag);
        scalar.write(out, element);
      }
    };
  }

  function mapWriter(field: DescField & { fieldKind: 'map' }): FieldWriter['write'] {
    const key = SCALARS.get(field.mapKey);
    const value = field.mapKind === 'message' ? undefined : scalarOf(field);
    const message = field.mapKind === 'message' ? delimited(2, elementWriter(field.message)) : undefined;
    const nulls = takesNull(field);
    if (key === undefined || field.mapKey !== 9) throw new TypeError(`${field} has keys that are no strings`);
    const entry = delimited(field.number, (out, pair) => {
      const [name, element] = pair as [string, unknown];
      out.varint((1 << 3) | key.wire);
      key.write(out, name);
      if (element === null && !nulls) throw new TypeError(`null in ${field}`);
      if (message) return message(out, element);
      out.varint((2 << 3) | value!.wire);
      value!.write(out, element);
    });
    return (out, json) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new TypeError(`${field} is no object`);
      for (const pair of Object.entries(json)) if (pair[1] !== undefined) entry(out, pair);
    };
  }

  return { writerOf };
}

/** Something with a length before it. What was written last tells how many bytes the length takes. */
function delimited(number: number, write: WriteMessage, skip?: (value: unknown) => boolean): FieldWriter['write'] {
  const tag = (number << 3) | LENGTH;
  let guess = 1;
  return (out, value) => {
    if (skip?.(value)) return;
    out.varint(tag);
    // A message may contain itself, which changes the guess meanwhile.
    const expected = guess;
    const start = out.open(expected);
    write(out, value);
    guess = out.close(start, expected);
  };
}

function scalarOf(field: { scalar?: number | undefined; enum?: unknown }): ScalarWriter {
  const { scalar, enum: desc } = field as DescField;
  const found = desc ? enumWriter(desc) : SCALARS.get(scalar!);
  if (found === undefined) throw new TypeError(`${field} is of a type that is not supported`);
  return found;
}

function takesNull({ message, enum: desc }: DescField): boolean {
  return message?.typeName === 'google.protobuf.Value' || desc?.typeName === 'google.protobuf.NullValue';
}
