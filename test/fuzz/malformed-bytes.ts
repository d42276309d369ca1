/** HTTP/1 that nobody should send: broken framing, two readings of one message, odd line ends, floods of a bounded size. */
import type { Random } from '../config/random.ts';

/** What one connection sends, in pieces; `smuggled` marks a request that stands inside a body and must never arrive. */
export type Pieces = readonly string[];

type Make = (r: Random, id: string) => Pieces;

const head = (lines: readonly string[], end = '\r\n'): string => `${lines.join(end)}${end}${end}`;
const inner = (id: string): string => head([`GET /smuggled-${id} HTTP/1.1`, 'host: a', `x-fuzz-id: smuggled-${id}`]);
const post = (id: string, ...more: string[]): string[] => [`POST /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`, ...more];

const MAKERS: readonly Make[] = [
  // Two lengths, or a length and chunks.
  (_r, id) => [head(post(id, `content-length: ${inner(id).length}`, 'transfer-encoding: chunked')), `0\r\n\r\n${inner(id)}`],
  (_r, id) => [head(post(id, 'transfer-encoding: chunked', 'content-length: 4')), `5c\r\n${inner(id)}\r\n0\r\n\r\n`],
  (_r, id) => [head(post(id, 'content-length: 0', `content-length: ${inner(id).length}`)), inner(id)],
  (r, id) => [head(post(id, `content-length: ${r.pick(['+5', '-1', '5 5', '0x5', '5,6', '1e1', '99999999999999999999', ''])}`)), inner(id)],
  (r, id) => [
    head(
      post(
        id,
        `${r.pick(['transfer-encoding', 'Transfer-Encoding', 'transfer-encoding '])}:${r.pick([' xchunked', ' chunked, identity', ' gzip, chunked', '\tchunked\x0b', ' chunked\r\n x', 'chunked;q=1'])}`,
        'content-length: 5',
      ),
    ),
    `0\r\n\r\n${inner(id)}`,
  ],
  (_r, id) => [head(post(id, 'transfer-encoding: chunked', 'transfer-encoding: identity')), `0\r\n\r\n${inner(id)}`],
  // Chunks that are none.
  (r, id) => [
    head(post(id, 'transfer-encoding: chunked')),
    `${r.pick(['g', '-1', '0x5', '5 ', 'fffffffffffffffff', '', '5;a=\n', '5\n'])}\r\nhello\r\n0\r\n\r\n`,
  ],
  (_r, id) => [head(post(id, 'transfer-encoding: chunked')), '5\r\nhelloXX\r\n0\r\n\r\n'],
  // Lines that end and begin oddly.
  (_r, id) => [head([`GET /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`], '\n')],
  (_r, id) => [head([`GET /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`, 'x-a: 1\rx-b: 2'])],
  (r, id) => [head([`GET /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`, 'x-a: 1', `${r.pick([' ', '\t'])}folded`])],
  (r, id) => [
    head([
      `GET /${id} HTTP/1.1`,
      'host: a',
      `x-fuzz-id: ${id}`,
      r.pick(['no colon', ': empty', 'x a: 1', 'x-a : 1', 'x\0: 1', 'x-a: \0', 'x-é: 1', 'x-a: \x7f']),
    ]),
  ],
  (r, id) => [
    head([`${r.pick(['', ' ', 'GET', 'GE T', 'G\0T', 'get', 'A'.repeat(9000)])} /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`]),
  ],
  (r, id) => [
    head([
      `GET /${id}${r.pick([' ', '\t', ' x ', '\0', '#'])} ${r.pick(['HTTP/1.1', 'HTTP/1.2', 'HTTP/9', 'HTTP', 'HTTP/1.1 ', 'http/1.1', 'ICE/1.0'])}`,
      'host: a',
      `x-fuzz-id: ${id}`,
    ]),
  ],
  (r, id) => [
    head([
      `GET /${id} HTTP/1.1`,
      ...r.pick([[], ['host: a', 'host: b'], ['host: a/b'], ['host:'], ['host: a b'], ['host: a@b']]),
      `x-fuzz-id: ${id}`,
    ]),
  ],
  // Large things.
  (r, id) => [head([`GET /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`, `x-big: ${'b'.repeat(r.pick([8000, 61_000, 200_000]))}`])],
  (r, id) => [
    head([`GET /${id} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`, ...Array.from({ length: r.pick([99, 101, 3000]) }, (_, i) => `x-${i}: 1`)]),
  ],
  (r, id) => [`GET /${id}${'p'.repeat(r.pick([8000, 70_000]))} HTTP/1.1\r\nhost: a\r\n\r\n`],
  // Pipelined, the last one broken or cut off.
  (r, id) => [
    Array.from({ length: 1 + r.below(8) }, (_, i) => head([`GET /${id}.${i} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}.${i}`])).join('') +
      r.pick(['', 'GET', 'BROKEN\r\n\r\n', '\0\0\0\0', '\r\n\r\n']),
  ],
  (_r, id) => [head(post(id, 'content-length: 100')), 'only a part'],
  (_r, id) => [`GET /${id} HTTP/1.1\r\nhost: a\r\nx-fuzz`],
  (r, id) => [
    head([`GET /${id} HTTP/1.1`, 'host: a', 'connection: upgrade', `upgrade: ${r.pick(['websocket', 'h2c', 'x'])}`, `x-fuzz-id: ${id}`]),
    'or not',
  ],
  (r, id) => [
    head([`CONNECT ${r.pick(['a:80', 'a', '/', '[::1', 'a:99999999'])} HTTP/1.1`, 'host: a', `x-fuzz-id: ${id}`]),
    'through a tunnel',
  ],
  (_r, id) => [head(post(id, 'expect: 100-continue', 'content-length: 5')), 'hello'],
  (_r, id) => [head(post(id, 'content-length: 5', 'expect: 200-never')), 'hello'],
  (r) => [Array.from({ length: 1 + r.below(400) }, () => String.fromCharCode(r.below(256))).join('')],
];

/** One connection's worth; sometimes a good message with bytes changed, sometimes cut into many pieces. */
export function malformedBytes(r: Random, id: string): Pieces {
  const pieces = r.pick(MAKERS)(r, id);
  // A length that is misspelt is none: what follows is no body then, but a request of its own.
  const framed = pieces.some((p) => p.includes('smuggled'));
  if (!framed && r.below(4) === 0) return pieces.map((p) => mutated(r, p));
  if (r.below(4) === 0) return pieces.flatMap((p) => (p.length < 500 ? cut(r, p) : [p]));
  return pieces;
}

function mutated(r: Random, text: string): string {
  const out = [...text];
  for (let n = 1 + r.below(3); n > 0; n--)
    out.splice(r.below(out.length + 1), r.below(2), r.pick(['\0', '\r', '\n', ':', ' ', '\t', ';', '\xff', '0', 'G']));
  return out.join('');
}

function cut(r: Random, text: string): string[] {
  const at = r.below(text.length);
  return [text.slice(0, at), text.slice(at)];
}
