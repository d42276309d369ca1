/** Responses in binary form, put together from resources that are encoded already. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { XdsResource } from './resource.ts';

const LEN = WireType.LengthDelimited;

export interface ResponseHead {
  url: string;
  version: string;
  nonce: string;
}

/** An `envoy.service.discovery.v3.DiscoveryResponse`. */
export function sotwResponse({ url, version, nonce }: ResponseHead, resources: readonly XdsResource[]): Buffer {
  const out = new BinaryWriter().tag(1, LEN).string(version);
  for (const { any } of resources) out.tag(2, LEN).bytes(any);
  return asBuffer(out.tag(4, LEN).string(url).tag(5, LEN).string(nonce).finish());
}

/** An `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export function deltaResponse(
  { url, version, nonce }: ResponseHead,
  resources: readonly XdsResource[],
  removed: readonly string[],
): Buffer {
  const out = new BinaryWriter().tag(1, LEN).string(version);
  for (const r of resources)
    out.tag(2, LEN).fork().tag(1, LEN).string(r.version).tag(2, LEN).bytes(r.any).tag(3, LEN).string(r.name).join();
  out.tag(4, LEN).string(url).tag(5, LEN).string(nonce);
  for (const name of removed) out.tag(6, LEN).string(name);
  return asBuffer(out.finish());
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
