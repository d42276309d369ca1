/** One resource as it is served: its name, its encoded form, its version by content. Made once per object, ahead of the first use. */
import { hash } from 'node:crypto';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { EncodeMessage } from '../../src/envoy/encode.ts';
import type { ResourceType } from './resource-types.ts';

export interface XdsResource {
  readonly type: ResourceType;
  readonly name: string;
  readonly json: object;
  /** A hash of the content: equal in every process, so that a reconnecting client's versions mean something. */
  readonly version: string;
  /** A `google.protobuf.Any`, encoded. */
  readonly any: Uint8Array;
  /** Why it cannot be sent: the JSON is none of its message. */
  readonly error: string | undefined;
  readonly ready: boolean;
  /** Encodes it. Each step is short; callers let others have their turn in between. */
  prepare(): Iterable<void>;
}

const NOTHING = new Uint8Array();
const VIRTUAL_HOST = 'envoy.config.route.v3.VirtualHost';

/** Snapshots share the objects that did not change; so what is known of an object is kept with it. */
const known = new WeakMap<object, XdsResource>();

/** The resource of an object that is never changed. */
export function resourceOf(type: ResourceType, json: object, encode: EncodeMessage): XdsResource {
  let resource = known.get(json);
  if (resource === undefined) {
    resource = newResource(type, json, encode);
    known.set(json, resource);
  }
  return resource;
}

function newResource(type: ResourceType, json: object, encode: EncodeMessage): XdsResource {
  let made: { version: string; any: Uint8Array; error?: string } | undefined;

  function make(): { version: string; any: Uint8Array; error?: string } {
    try {
      const value = encode(type.message, json);
      const any = new BinaryWriter()
        .tag(1, WireType.LengthDelimited)
        .string(type.url)
        .tag(2, WireType.LengthDelimited)
        .bytes(value)
        .finish();
      return { version: versionOf(value), any };
    } catch (error) {
      return { version: versionOf(JSON.stringify(json)), any: NOTHING, error: (error as Error).message };
    }
  }
  const get = (): { version: string; any: Uint8Array; error?: string } => {
    made ??= make();
    return made;
  };

  return {
    type,
    name: String((json as Record<string, unknown>)[type.nameField] ?? ''),
    json,
    get version() {
      return get().version;
    },
    get any() {
      return get().any;
    },
    get error() {
      return get().error;
    },
    get ready() {
      return made !== undefined;
    },
    *prepare() {
      if (made !== undefined) return;
      // The encoder keeps these, so that what is left to do at the end is little.
      for (const host of virtualHosts(json)) {
        try {
          encode(VIRTUAL_HOST, host);
        } catch {
          break;
        }
        yield;
      }
      get();
      yield;
    },
  };
}

function virtualHosts(json: object): readonly object[] {
  return (json as { virtualHosts?: readonly object[] }).virtualHosts ?? [];
}

function versionOf(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex').slice(0, 16);
}
