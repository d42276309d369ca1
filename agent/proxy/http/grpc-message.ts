/** A text as grpc-message carries it. gRPC over HTTP/2: Percent-Byte-Unencoded is 0x20-0x24 and 0x26-0x7E. */
export function grpcMessage(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) out += String.fromCharCode(byte);
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
