/** HTTP/2 frames that nobody should send, after a good preface and often a good request (RFC 9113). */
import type { Random } from '../config/random.ts';

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0), length = payload.length): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
/** A literal field without indexing and without Huffman (RFC 7541 6.2.2). */
const field = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), text(name), Buffer.from([value.length]), text(value)]);
const request = (id: string, more: Buffer[] = []): Buffer =>
  Buffer.concat([
    field(':method', 'GET'),
    field(':scheme', 'http'),
    field(':path', `/${id}`),
    field(':authority', 'a'),
    field('x-fuzz-id', id),
    ...more,
  ]);

const PREFACE = Buffer.concat([text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);

type Make = (r: Random, id: string) => Buffer[];

const MAKERS: readonly Make[] = [
  (_r, id) => [frame(1, 5, 2, request(id))],
  (_r, id) => [frame(1, 5, 1, request(id)), frame(1, 5, 1, request(id))],
  (_r, id) => [frame(1, 5, 3, request(id)), frame(1, 5, 1, request(id))],
  () => [frame(0, 1, 1, text('data on an idle stream'))],
  (_r, id) => [frame(1, 4, 1, request(id, [field('content-length', '3')])), frame(0, 1, 1, text('longer than three'))],
  (_r, id) => [frame(1, 0, 1, request(id)), frame(0, 1, 1, text('in the middle of headers'))],
  (r, id) => [
    frame(1, 0, 1, request(id)),
    ...Array.from({ length: r.pick([1, 50, 2000]) }, () => frame(9, 0, 1, field('x-a', 'b'.repeat(100)))),
  ],
  () => [frame(9, 4, 1, field('x', 'y'))],
  (r) => [frame(1, 5, 1, Buffer.from(Array.from({ length: 30 }, () => r.below(256))))],
  () => [frame(1, 5, 1, Buffer.from([0x3f, 0xff, 0xff, 0xff, 0xff, 0x0f]))],
  (r, id) => [
    frame(
      1,
      5,
      1,
      request(id, [
        r.pick([
          field('Upper', '1'),
          field(':path', '/again'),
          field(':odd', 'x'),
          field('connection', 'close'),
          field('transfer-encoding', 'chunked'),
          field('te', 'gzip'),
          field('x', 'a\r\nsmuggled: 1'),
          field('x', '\0'),
          field('', 'x'),
        ]),
      ]),
    ),
  ],
  (r) => [
    frame(
      1,
      5,
      1,
      r.pick([
        field(':method', 'GET'),
        Buffer.concat([field('x', 'y'), field(':method', 'GET'), field(':path', '/')]),
        Buffer.concat([field(':method', 'GET'), field(':scheme', 'http'), field(':path', '')]),
      ]),
    ),
  ],
  () => [frame(8, 0, 0, Buffer.from([0, 0, 0, 0]))],
  (_r, id) => [frame(1, 4, 1, request(id)), frame(8, 0, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
  () => [frame(4, 0, 0, Buffer.from([0, 4, 0xff, 0xff, 0xff, 0xff]))],
  () => [frame(4, 0, 0, Buffer.from([0, 4, 0]))],
  () => [frame(4, 1, 0, Buffer.from([0, 4, 0, 0, 0, 1]))],
  () => [frame(6, 0, 0, Buffer.alloc(7))],
  (r) => Array.from({ length: r.pick([10, 2000]) }, () => frame(6, 0, 0, Buffer.alloc(8))),
  (r) => Array.from({ length: r.pick([10, 2000]) }, () => frame(4, 0, 0)),
  // A stream begun and reset again and again.
  (r, id) =>
    Array.from({ length: r.pick([5, 300]) }, (_, i) =>
      Buffer.concat([frame(1, 5, 2 * i + 1, request(`${id}.${i}`)), frame(3, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8]))]),
    ),
  () => [frame(3, 0, 99, Buffer.from([0, 0, 0, 8]))],
  () => [frame(3, 0, 0, Buffer.alloc(3))],
  (_r, id) => [frame(2, 0, 1, Buffer.from([0, 0, 0, 1, 0])), frame(1, 5, 1, request(id))],
  () => [frame(5, 4, 1, Buffer.from([0, 0, 0, 2]))],
  () => [frame(7, 0, 0, Buffer.alloc(8)), frame(1, 5, 1, request('after-goaway'))],
  () => [frame(0, 8, 1, Buffer.from([200, 1, 2]))],
  () => [frame(1, 5, 1, Buffer.alloc(0), 0xffffff)],
  (r) => [frame(r.below(256), r.below(256), r.below(4), Buffer.from(Array.from({ length: r.below(40) }, () => r.below(256))))],
];

/** One connection's worth. */
export function malformedFrames(r: Random, id: string): Buffer[] {
  const frames = r.pick(MAKERS)(r, id);
  const first = r.below(2) === 0 ? [frame(1, 5, 1001, request(`${id}.first`))] : [];
  return [r.below(20) === 0 ? PREFACE.subarray(0, r.below(PREFACE.length)) : PREFACE, ...first, ...frames];
}
