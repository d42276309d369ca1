/** A growing buffer for the protobuf wire format (https://protobuf.dev/programming-guides/encoding/). */

/** Where results of up to a quarter of this size share one allocation. */
const POOL_BYTES = 16 << 10;

export interface WireBuffer {
  /** Where the next byte goes. */
  position(): number;
  varint(value: number): void;
  /** Two's complement in 64 bits. */
  varint64(value: bigint): void;
  fixed32(value: number): void;
  fixed64(value: bigint): void;
  float(value: number): void;
  double(value: number): void;
  /** Length and UTF-8. */
  text(value: string): void;
  /** Length and bytes. */
  bytes(value: Uint8Array): void;
  /** Starts something that its length comes before; `guess` is how many bytes its length will take. Returns what `close` wants. */
  open(guess: number): number;
  /** Ends it and writes the length. Returns how many bytes that took. */
  close(start: number, guess: number): number;
  /** Bytes as they are. */
  raw(value: Uint8Array): void;
  /** Goes back to an earlier position. */
  rewind(position: number): void;
  /** What was written from a position on, in memory of its own; the buffer goes back there. */
  take(position: number): Uint8Array;
}

export function createWireBuffer(): WireBuffer {
  let buffer = Buffer.allocUnsafeSlow(POOL_BYTES << 2);
  let at = 0;
  let pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let pooled = 0;

  function room(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, at + bytes));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }

  function put(value: number): void {
    let rest = value;
    while (rest > 127) {
      buffer[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    buffer[at++] = rest;
  }

  function text(value: string): void {
    const { length } = value;
    room(length * 3 + 5);
    // Most are short and ASCII: a loop is faster than a call into native code.
    const start = at;
    if (length < 128) {
      buffer[at++] = length;
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        buffer[at++] = code;
      }
      if (at === start + 1 + length) return;
      at = start;
    }
    const bytes = Buffer.byteLength(value);
    put(bytes);
    at += buffer.write(value, at, 'utf8');
  }

  return {
    position: () => at,
    varint(value) {
      room(5);
      put(value >>> 0);
    },
    varint64(value) {
      room(10);
      let rest = BigInt.asUintN(64, value);
      while (rest > 127n) {
        buffer[at++] = Number(rest & 127n) | 128;
        rest >>= 7n;
      }
      buffer[at++] = Number(rest);
    },
    fixed32(value) {
      room(4);
      at = buffer.writeUInt32LE(value >>> 0, at);
    },
    fixed64(value) {
      room(8);
      at = buffer.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    },
    float(value) {
      room(4);
      at = buffer.writeFloatLE(value, at);
    },
    double(value) {
      room(8);
      at = buffer.writeDoubleLE(value, at);
    },
    text,
    bytes(value) {
      room(value.length + 5);
      put(value.length);
      buffer.set(value, at);
      at += value.length;
    },
    open(guess) {
      room(guess);
      at += guess;
      return at;
    },
    close(start, guess) {
      const length = at - start;
      const takes = varintSize(length);
      if (takes !== guess) {
        room(5);
        buffer.copyWithin(start + takes - guess, start, at);
      }
      at = start - guess;
      put(length);
      at += length;
      return takes;
    },
    raw(value) {
      room(value.length);
      buffer.set(value, at);
      at += value.length;
    },
    rewind(position) {
      at = position;
    },
    take(position) {
      const length = at - position;
      at = position;
      if (length > POOL_BYTES >> 2) return Uint8Array.prototype.slice.call(buffer, position, position + length);
      if (pooled + length > POOL_BYTES) {
        pool = Buffer.allocUnsafeSlow(POOL_BYTES);
        pooled = 0;
      }
      buffer.copy(pool, pooled, position, position + length);
      pooled += length;
      return new Uint8Array(pool.buffer, pool.byteOffset + pooled - length, length);
    },
  };
}

function varintSize(value: number): number {
  return value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;
}
