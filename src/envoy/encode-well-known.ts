/** Messages whose JSON is not an object of their fields (https://protobuf.dev/programming-guides/json/). */
import type { DescMessage } from '@bufbuild/protobuf';
import type { WireBuffer } from './encode-buffer.ts';
import { SCALARS } from './encode-scalar.ts';

/** Writes a message's fields, without tag and length. Throws a TypeError on JSON that is none. */
export type WriteMessage = (out: WireBuffer, json: unknown) => void;

/** Finds a message by its full name. */
export type MessageNamed = (name: string) => { write: WriteMessage; wellKnown: boolean } | undefined;

const TAG = { one: (1 << 3) | 2, two: (2 << 3) | 2, three: (3 << 3) | 2 };

/** The writer of a message with JSON of its own; undefined for all others. */
export function wellKnownWriter(desc: DescMessage, named: MessageNamed): WriteMessage | undefined {
  if (!desc.typeName.startsWith('google.protobuf.')) return undefined;
  switch (desc.typeName) {
    case 'google.protobuf.Any':
      return anyWriter(named);
    case 'google.protobuf.Duration':
      return writeDuration;
    case 'google.protobuf.Struct':
      return writeStruct;
    case 'google.protobuf.Value':
      return writeValue;
    case 'google.protobuf.ListValue':
      return writeListValue;
    case 'google.protobuf.Timestamp':
    case 'google.protobuf.FieldMask':
      return () => {
        throw new TypeError(`${desc.typeName} is left to protobuf-es`);
      };
    default:
      return desc.typeName.endsWith('Value') && desc.fields.length === 1 ? wrapperWriter(desc) : undefined;
  }
}

function wrapperWriter(desc: DescMessage): WriteMessage {
  const { number, scalar } = desc.fields[0]!;
  const writer = SCALARS.get(scalar!)!;
  return (out, json) => {
    const start = out.position();
    out.varint((number << 3) | writer.wire);
    writer.write(out, json);
    if (writer.isDefault(json)) out.rewind(start);
  };
}

function anyWriter(named: MessageNamed): WriteMessage {
  return (out, json) => {
    const url = (json as Record<string, unknown>)['@type'];
    if (typeof url !== 'string') throw new TypeError('an Any without @type');
    const message = named(url.slice(url.lastIndexOf('/') + 1));
    if (message === undefined) throw new TypeError(`${url} is not known`);
    out.varint(TAG.one);
    out.text(url);
    const before = out.position();
    out.varint(TAG.two);
    const start = out.open(2);
    message.write(out, message.wellKnown ? (json as { value?: unknown }).value : json);
    if (out.position() === start) out.rewind(before);
    else out.close(start, 2);
  };
}

const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;
const MOST_SECONDS = 315_576_000_000n;

function writeDuration(out: WireBuffer, json: unknown): void {
  const [, minus, whole, fraction = ''] = (typeof json === 'string' && DURATION.exec(json)) || [];
  if (whole === undefined) throw new TypeError(`no duration: ${JSON.stringify(json)}`);
  const seconds = BigInt(whole);
  const nanos = BigInt(fraction.padEnd(9, '0'));
  if (seconds > MOST_SECONDS) throw new TypeError(`too long: ${json}`);
  if (seconds !== 0n) {
    out.varint(1 << 3);
    out.varint64(minus ? -seconds : seconds);
  }
  if (nanos !== 0n) {
    out.varint(2 << 3);
    out.varint64(minus ? -nanos : nanos);
  }
}

function writeStruct(out: WireBuffer, json: unknown): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new TypeError('a Struct that is no object');
  for (const [key, value] of Object.entries(json)) {
    if (value === undefined) continue;
    out.varint(TAG.one);
    const entry = out.open(1);
    out.varint(TAG.one);
    out.text(key);
    out.varint(TAG.two);
    const start = out.open(1);
    writeValue(out, value);
    out.close(start, 1);
    out.close(entry, 1);
  }
}

function writeValue(out: WireBuffer, json: unknown): void {
  if (json === null) {
    out.varint(1 << 3);
    out.varint(0);
  } else if (typeof json === 'number' && Number.isFinite(json)) {
    out.varint((2 << 3) | 1);
    out.double(json);
  } else if (typeof json === 'string') {
    out.varint(TAG.three);
    out.text(json);
  } else if (typeof json === 'boolean') {
    out.varint(4 << 3);
    out.varint(json ? 1 : 0);
  } else if (typeof json === 'object') {
    const list = Array.isArray(json);
    out.varint(((list ? 6 : 5) << 3) | 2);
    const start = out.open(1);
    if (list) writeListValue(out, json);
    else writeStruct(out, json);
    out.close(start, 1);
  } else throw new TypeError(`no Value: ${JSON.stringify(json)}`);
}

function writeListValue(out: WireBuffer, json: unknown): void {
  if (!Array.isArray(json)) throw new TypeError('a ListValue that is no list');
  for (const value of json) {
    out.varint(TAG.one);
    const start = out.open(1);
    writeValue(out, value);
    out.close(start, 1);
  }
}
