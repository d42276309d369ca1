/** gRPC's length-prefixed messages, uncompressed (gRPC over HTTP/2, Length-Prefixed-Message). */

export function frame(message: string | Buffer): Buffer {
  const body = Buffer.from(message as string);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Takes pieces as they come and tells each whole message. */
export function createFrameReader(message: (text: string) => void): (piece: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (piece) => {
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      message(rest.toString('utf8', 5, end));
      rest = rest.subarray(end);
    }
  };
}
