import type { AnyJson } from '@bufbuild/protobuf/wkt';

/**
 * A message packed into an Any, as protobuf JSON writes it.
 *
 * @param type full name of the message, `envoy.extensions.filters.http.router.v3.Router`
 */
export function typed<T extends object>(type: string, fields?: T): AnyJson {
  return { '@type': `type.googleapis.com/${type}`, ...fields } as AnyJson;
}
