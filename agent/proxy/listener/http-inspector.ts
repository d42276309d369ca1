import type { ConnectionInfo } from './connection.ts';
import type { Inspector } from './inspector.ts';

/** Envoy: MAX_INSPECT_SIZE of its http inspector. */
const LIMIT = 64 * 1024;

/** RFC 9113 3.4, as far as it tells HTTP/2 from everything else. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** True: HTTP/2; false: not; undefined: too few bytes to tell. */
export function startsWithPreface(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return false;
  return length === PREFACE.length ? true : undefined;
}

/** Tells HTTP/1.x and HTTP/2 from other protocols by the first line. */
export function createHttpInspector(disabled: (port: number) => boolean): Inspector {
  return { name: 'http_inspector', limit: LIMIT, disabled, inspect };
}

function inspect(bytes: Buffer, info: ConnectionInfo): 'more' | 'reject' | number {
  if (info.transportProtocol === 'tls') return 0;
  const preface = startsWithPreface(bytes);
  if (preface === undefined) return 'more';
  if (preface) {
    info.applicationProtocols = ['h2c'];
    return 0;
  }
  const end = bytes.indexOf(10);
  if (end < 0 && bytes.length < LIMIT) return looksLikeMethod(bytes) ? 'more' : 0;
  const line = bytes.toString('latin1', 0, Math.max(end, 0));
  const found = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^ ]+ HTTP\/1\.([01])\r?$/.exec(line);
  if (found !== null) info.applicationProtocols = [found[1] === '1' ? 'http/1.1' : 'http/1.0'];
  return 0;
}

/** RFC 9110 9.1: a token, then a space. Only upper-case letters and a few signs occur in methods. */
function looksLikeMethod(bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length && i < 64; i++) {
    const c = bytes[i]!;
    if (c === 32) return i > 0;
    if (!((c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 45 || c === 95)) return false;
  }
  return bytes.length < 64;
}
