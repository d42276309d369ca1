import type { ConnectionInfo } from './connection.ts';
import type { Inspector } from './inspector.ts';

/** Envoy: the largest ClientHello that its tls inspector reads. */
const MAX_CLIENT_HELLO = 16 * 1024;

/** Finds SNI and ALPN in a ClientHello without taking part in the handshake. RFC 8446 4.1.2, RFC 6066 3, RFC 7301 3.1. */
export function createTlsInspector(disabled: (port: number) => boolean): Inspector {
  return { name: 'tls_inspector', limit: MAX_CLIENT_HELLO + 5 * 64, disabled, inspect };
}

function inspect(bytes: Buffer, info: ConnectionInfo): 'more' | 'reject' | number {
  const hello = handshakeBytes(bytes);
  if (hello === 'more' || hello === undefined) return hello ?? 0;
  const found = parseClientHello(hello);
  if (found === undefined) return 0;
  info.transportProtocol = 'tls';
  info.sni = found.sni;
  if (found.alpn.length > 0) info.applicationProtocols = found.alpn;
  return 0;
}

/** The ClientHello's body, put together from its records; undefined when this is no TLS. */
function handshakeBytes(bytes: Buffer): Buffer | 'more' | undefined {
  const parts: Buffer[] = [];
  let have = 0;
  let want = -1;
  for (let at = 0; ; ) {
    // A record: type 22, version 3.x, length.
    if (bytes.length > at && bytes[at] !== 22) return undefined;
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return undefined;
    if (bytes.length < at + 5) return 'more';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384 + 256) return undefined;
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    have += part.length;
    if (want < 0 && have >= 4) {
      const start = parts.length === 1 ? part : Buffer.concat(parts);
      if (start[0] !== 1) return undefined;
      want = 4 + start.readUIntBE(1, 3);
      if (want > MAX_CLIENT_HELLO) return undefined;
    } else if (part.length > 0 && parts[0]?.[0] !== 1) return undefined;
    if (want >= 0 && have >= want) return (parts.length === 1 ? part : Buffer.concat(parts)).subarray(4, want);
    at += 5 + length;
    if (part.length < length) return 'more';
  }
}

/** Reads forward; every read checks its bounds. */
class Reader {
  readonly bytes: Buffer;
  at = 0;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
  number(size: 1 | 2): number {
    if (this.left < size) throw new RangeError('short');
    const value = this.bytes.readUIntBE(this.at, size);
    this.at += size;
    return value;
  }
  take(length: number): Reader {
    if (this.left < length) throw new RangeError('short');
    const part = new Reader(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return part;
  }
}

function parseClientHello(body: Buffer): { sni: string; alpn: string[] } | undefined {
  const found = { sni: '', alpn: [] as string[] };
  try {
    const hello = new Reader(body);
    hello.take(2 + 32);
    hello.take(hello.number(1));
    hello.take(hello.number(2));
    hello.take(hello.number(1));
    if (hello.left === 0) return found;
    const extensions = hello.take(hello.number(2));
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const data = extensions.take(extensions.number(2));
      if (type === 0) found.sni = serverName(data);
      else if (type === 16) {
        const list = data.take(data.number(2));
        while (list.left > 0) found.alpn.push(list.take(list.number(1)).bytes.toString('latin1'));
      }
    }
    return found;
  } catch {
    return undefined;
  }
}

function serverName(data: Reader): string {
  const list = data.take(data.number(2));
  while (list.left > 0) {
    const type = list.number(1);
    const name = list.take(list.number(2));
    if (type === 0) return name.bytes.toString('latin1').toLowerCase();
  }
  return '';
}
