/**
 * xxHash64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), which Envoy hashes requests and hosts with. 64-bit
 * numbers are pairs of 32-bit halves: no BigInt before the result.
 */
type U64 = { hi: number; lo: number };

const P1 = { hi: 0x9e3779b1, lo: 0x85ebca87 };
const P2 = { hi: 0xc2b2ae3d, lo: 0x27d4eb4f };
const P3 = { hi: 0x165667b1, lo: 0x9e3779f9 };
const P4 = { hi: 0x85ebca77, lo: 0xc2b2ae63 };
const P5 = { hi: 0x27d4eb2f, lo: 0x165667c5 };

function add(a: U64, b: U64): U64 {
  const lo = (a.lo >>> 0) + (b.lo >>> 0);
  return { hi: (a.hi + b.hi + (lo > 0xffff_ffff ? 1 : 0)) | 0, lo: lo | 0 };
}

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const low = a0 * b0;
  const mid = a1 * b0 + (low >>> 16);
  const mid2 = a0 * b1 + (mid % 0x10000);
  return a1 * b1 + Math.floor(mid / 0x10000) + Math.floor(mid2 / 0x10000);
}

function mul(a: U64, b: U64): U64 {
  return { hi: (mulHigh(a.lo >>> 0, b.lo >>> 0) + Math.imul(a.hi, b.lo) + Math.imul(a.lo, b.hi)) | 0, lo: Math.imul(a.lo, b.lo) };
}

function rotl(a: U64, by: number): U64 {
  if (by >= 32) return rotl({ hi: a.lo, lo: a.hi }, by - 32);
  if (by === 0) return a;
  return { hi: (a.hi << by) | (a.lo >>> (32 - by)), lo: (a.lo << by) | (a.hi >>> (32 - by)) };
}

const xor = (a: U64, b: U64): U64 => ({ hi: a.hi ^ b.hi, lo: a.lo ^ b.lo });
const shiftXor = (a: U64, by: number): U64 =>
  by >= 32 ? { hi: a.hi, lo: a.lo ^ (a.hi >>> (by - 32)) } : { hi: a.hi ^ (a.hi >>> by), lo: a.lo ^ ((a.lo >>> by) | (a.hi << (32 - by))) };
const round = (acc: U64, input: U64): U64 => mul(rotl(add(acc, mul(input, P2)), 31), P1);
const merge = (acc: U64, value: U64): U64 => add(mul(xor(acc, round({ hi: 0, lo: 0 }, value)), P1), P4);
const negate = (a: U64): U64 => add({ hi: ~a.hi, lo: ~a.lo }, { hi: 0, lo: 1 });

/** The hash of bytes; `seed` defaults to 0. Unsigned 64 bit. */
export function xxHash64(bytes: Uint8Array, seed: bigint = 0n): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read64 = (at: number): U64 => ({ hi: view.getInt32(at + 4, true), lo: view.getInt32(at, true) });
  const { length } = bytes;
  const start: U64 = { hi: Number((seed >> 32n) & 0xffff_ffffn), lo: Number(seed & 0xffff_ffffn) };
  let at = 0;
  let acc: U64;
  if (length >= 32) {
    let a = add(add(start, P1), P2);
    let b = add(start, P2);
    let c = start;
    let d = add(start, negate(P1));
    for (; at <= length - 32; at += 32) {
      a = round(a, read64(at));
      b = round(b, read64(at + 8));
      c = round(c, read64(at + 16));
      d = round(d, read64(at + 24));
    }
    acc = add(add(rotl(a, 1), rotl(b, 7)), add(rotl(c, 12), rotl(d, 18)));
    for (const lane of [a, b, c, d]) acc = merge(acc, lane);
  } else acc = add(start, P5);
  acc = add(acc, { hi: Math.floor(length / 0x1_0000_0000), lo: length | 0 });
  for (; at + 8 <= length; at += 8) acc = add(mul(rotl(xor(acc, round({ hi: 0, lo: 0 }, read64(at))), 27), P1), P4);
  if (at + 4 <= length) {
    acc = add(mul(rotl(xor(acc, mul({ hi: 0, lo: view.getInt32(at, true) }, P1)), 23), P2), P3);
    at += 4;
  }
  for (; at < length; at++) acc = mul(rotl(xor(acc, mul({ hi: 0, lo: bytes[at]! }, P5)), 11), P1);
  acc = mul(shiftXor(acc, 33), P2);
  acc = mul(shiftXor(acc, 29), P3);
  acc = shiftXor(acc, 32);
  return (BigInt(acc.hi >>> 0) << 32n) | BigInt(acc.lo >>> 0);
}

/** The hash of wire text (one character a byte). */
export function xxHash64OfWire(wire: string, seed: bigint = 0n): bigint {
  return xxHash64(Buffer.from(wire, 'latin1'), seed);
}
