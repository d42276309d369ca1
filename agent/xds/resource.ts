/** One resource as it is served: its name, its version by content, its encoded form. Both are made when first asked for, once per object. */
import { hash } from 'node:crypto';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ResourceType } from './resource-types.ts';

export interface XdsResource {
  readonly type: ResourceType;
  readonly name: string;
  readonly json: object;
  /** A hash of the content: equal in every process, so that a reconnecting client's versions mean something. */
  readonly version: string;
  /** Whether `any` is ready. */
  readonly encoded: boolean;
  /** A `google.protobuf.Any`, encoded. Throws when the JSON is none of its message. */
  readonly any: Uint8Array;
}

/** @returns a message's binary form; throws on JSON that is none of it */
export type Encode = (message: string, json: object) => Uint8Array;

/** Snapshots share the objects that did not change; so what is known of an object is kept with it. */
const known = new WeakMap<object, XdsResource>();

/** The resource of an object that is never changed. */
export function resourceOf(type: ResourceType, json: object, encode: Encode): XdsResource {
  const found = known.get(json);
  if (found !== undefined) return found;
  let version: string | undefined;
  let any: Uint8Array | undefined;
  const resource: XdsResource = {
    type,
    name: String((json as Record<string, unknown>)[type.nameField] ?? ''),
    json,
    get version() {
      version ??= hash('sha256', JSON.stringify(json), 'hex').slice(0, 16);
      return version;
    },
    get encoded() {
      return any !== undefined;
    },
    get any() {
      any ??= new BinaryWriter()
        .tag(1, WireType.LengthDelimited)
        .string(type.url)
        .tag(2, WireType.LengthDelimited)
        .bytes(encode(type.message, json))
        .finish();
      return any;
    },
  };
  known.set(json, resource);
  return resource;
}
