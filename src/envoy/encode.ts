/** Protobuf JSON to binary, as clients of xDS take it. */
import { fromJson, toBinary } from '@bufbuild/protobuf';
import { loadWire } from './wire.ts';

/** @param message full name, `envoy.config.cluster.v3.Cluster`. Throws on JSON that is no such message. */
export type EncodeMessage = (message: string, json: object) => Uint8Array;

/** The encoder of everything that Fairlead generates. */
export async function loadEncode(): Promise<EncodeMessage> {
  const { registry } = await loadWire();
  return (message, json) => {
    const desc = registry.getMessage(message);
    if (desc === undefined) throw new Error(`${message} is not known`);
    return toBinary(desc, fromJson(desc, json as never, { registry }));
  };
}
