/** google.protobuf.Struct in protobuf's wire format. */
import { BinaryReader, type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export function writeStruct(writer: BinaryWriter, object: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).fork();
    writeValue(writer, value);
    writer.join().join();
  }
}

function writeValue(writer: BinaryWriter, value: unknown): void {
  if (typeof value === 'number') writer.tag(2, WireType.Bit64).double(value);
  else if (typeof value === 'string') writer.tag(3, WireType.LengthDelimited).string(value);
  else if (typeof value === 'boolean') writer.tag(4, WireType.Varint).bool(value);
  else if (Array.isArray(value)) {
    writer.tag(6, WireType.LengthDelimited).fork();
    for (const one of value) {
      writer.tag(1, WireType.LengthDelimited).fork();
      writeValue(writer, one);
      writer.join();
    }
    writer.join();
  } else if (typeof value === 'object' && value !== null) {
    writer.tag(5, WireType.LengthDelimited).fork();
    writeStruct(writer, value as Record<string, unknown>);
    writer.join();
  } else writer.tag(1, WireType.Varint).int32(0);
}

/** Throws on bytes that are no Struct. */
export function readStruct(bytes: Uint8Array): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  eachField(bytes, (no, reader) => {
    if (no !== 1) return false;
    let key = '';
    let value: unknown = null;
    eachField(reader.bytes(), (field, entry) => {
      if (field === 1) key = entry.string();
      else if (field === 2) value = readValue(entry.bytes());
      else return false;
      return true;
    });
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    return true;
  });
  return object;
}

function readValue(bytes: Uint8Array): unknown {
  let value: unknown = null;
  eachField(bytes, (no, reader) => {
    if (no === 2) value = reader.double();
    else if (no === 3) value = reader.string();
    else if (no === 4) value = reader.bool();
    else if (no === 5) value = readStruct(reader.bytes());
    else if (no === 6) {
      const list: unknown[] = [];
      eachField(reader.bytes(), (field, items) => {
        if (field !== 1) return false;
        list.push(readValue(items.bytes()));
        return true;
      });
      value = list;
    } else return false;
    return true;
  });
  return value;
}

/** Calls `read` for each field; one that it does not read (false) is skipped. */
export function eachField(bytes: Uint8Array, read: (no: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (!read(no, reader)) reader.skip(type, no);
  }
}
