import type { AnyJson } from '@bufbuild/protobuf/wkt';

/** Protobuf JSON of an Any: the message's fields beside its `@type`. */
export function anyOf(type: string, fields: object = {}): AnyJson {
  return { '@type': `type.googleapis.com/${type}`, ...fields } as AnyJson;
}
