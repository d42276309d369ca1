/**
 * The two messages of Istio's certificate service (istio/api security/v1alpha1/ca.proto):
 *
 *   IstioCertificateRequest  { string csr = 1; int64 validity_duration = 3; google.protobuf.Struct metadata = 4; }
 *   IstioCertificateResponse { repeated string cert_chain = 1; }
 */
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { StructSchema } from '@bufbuild/protobuf/wkt';

export const CREATE_CERTIFICATE = '/istio.v1.auth.IstioCertificateService/CreateCertificate';

export interface IstioRequest {
  csr: string;
  /** Seconds; 0 for the default. */
  validityDuration: number;
  /** Whose certificate, when a node asks for its workloads: the metadata's `ImpersonatedIdentity`. */
  impersonated: string | undefined;
}

/** Throws a plain Error for what is no such message. */
export function readIstioRequest(bytes: Uint8Array): IstioRequest {
  const reader = new BinaryReader(bytes);
  const request: IstioRequest = { csr: '', validityDuration: 0, impersonated: undefined };
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1 && wire === WireType.LengthDelimited) request.csr = reader.string();
    else if (field === 3 && wire === WireType.Varint) request.validityDuration = Number(reader.int64());
    else if (field === 4 && wire === WireType.LengthDelimited) {
      const { kind } = fromBinary(StructSchema, reader.bytes()).fields['ImpersonatedIdentity'] ?? {};
      if (kind?.case === 'stringValue' && kind.value !== '') request.impersonated = kind.value;
    } else reader.skip(wire, field);
  }
  return request;
}

/** @param chain PEM texts: the leaf, those above it, all roots in one */
export function writeIstioResponse(chain: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const pem of chain) writer.tag(1, WireType.LengthDelimited).string(pem);
  return writer.finish();
}
