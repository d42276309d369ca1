/**
 * Protobuf JSON to binary, as clients of xDS take it. Four times as fast as protobuf-es by way of messages, which counts with tens of thousands of
 * clusters; what the writers here do not do is left to protobuf-es, and so is telling what is wrong.
 */
import { type DescMessage, fromJson, type Registry, toBinary } from '@bufbuild/protobuf';
import { createWireBuffer } from './encode-buffer.ts';
import { messageWriters } from './encode-message.ts';
import { loadWire } from './wire.ts';

/** @param message full name, `envoy.config.cluster.v3.Cluster`. Throws on JSON that is no such message. */
export type EncodeMessage = (message: string, json: object) => Uint8Array;

/** Route configurations of large meshes hold thousands of these, of which a change touches a few. */
const SHARED: ReadonlySet<string> = new Set(['envoy.config.route.v3.VirtualHost']);

/** An encoder for the types of `registry`. Equal JSON with keys in equal order gives equal bytes. Objects must not be changed afterwards. */
export function encoderOf(registry: Registry): EncodeMessage {
  const buffer = createWireBuffer();
  const kept = new WeakMap<object, Uint8Array>();
  const keep = (desc: DescMessage, json: object): Uint8Array => {
    let bytes = kept.get(json);
    if (bytes === undefined) {
      bytes = encode(desc, json);
      kept.set(json, bytes);
    }
    return bytes;
  };
  const { writerOf } = messageWriters(registry, SHARED, keep);

  function encode(desc: DescMessage, json: object): Uint8Array {
    const start = buffer.position();
    try {
      writerOf(desc)(buffer, json);
      return buffer.take(start);
    } catch (error) {
      buffer.rewind(start);
      if (!(error instanceof TypeError)) throw error;
      return toBinary(desc, fromJson(desc, json as never, { registry }));
    }
  }

  return (message, json) => {
    const desc = registry.getMessage(message);
    if (desc === undefined) throw new Error(`${message} is not known`);
    return SHARED.has(message) ? keep(desc, json) : encode(desc, json);
  };
}

/** The encoder of everything that Fairlead generates. The first call imports the generated API. */
export async function loadEncode(): Promise<EncodeMessage> {
  return encoderOf((await loadWire()).registry);
}
