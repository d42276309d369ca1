/** Scalars of protobuf JSON in the wire format (https://protobuf.dev/programming-guides/json/). */
import { type DescEnum, ScalarType } from '@bufbuild/protobuf';
import type { WireBuffer } from './encode-buffer.ts';

export interface ScalarWriter {
  /** The wire type: 0 varint, 1 64 bits, 2 with a length, 5 32 bits. */
  wire: 0 | 1 | 2 | 5;
  /** Throws a TypeError on a value that is none. */
  write(out: WireBuffer, value: unknown): void;
  /** The value that a field without presence has when it is not written. */
  isDefault(value: unknown): boolean;
}

function fail(value: unknown): never {
  throw new TypeError(`unexpected ${JSON.stringify(value)}`);
}

function integer(value: unknown, least: number, most: number): number {
  const number = typeof value === 'string' && value.trim() === value && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most ? number : fail(value);
}

function long(value: unknown, least: bigint, most: bigint): bigint {
  const whole = (typeof value === 'number' && Number.isSafeInteger(value)) || (typeof value === 'string' && /^-?\d+$/.test(value));
  const number = whole ? BigInt(value as string | number) : fail(value);
  return number >= least && number <= most ? number : fail(value);
}

function decimal(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return fail(value);
}

const isZero = (value: unknown): boolean => (value === 0 && !Object.is(value, -0)) || value === '0';
const I32 = 2 ** 31;
const I64 = 2n ** 63n;
const MOST_FLOAT = 3.4028234663852886e38;

const signed32: ScalarWriter = {
  wire: 0,
  write(out, value) {
    const number = integer(value, -I32, I32 - 1);
    // Negative numbers are written in 64 bits.
    if (number < 0) out.varint64(BigInt(number));
    else out.varint(number);
  },
  isDefault: isZero,
};
const signed64: ScalarWriter = { wire: 0, write: (out, value) => out.varint64(long(value, -I64, I64 - 1n)), isDefault: isZero };

/** By the descriptor's scalar types. Types that Envoy's API does not use are missing. */
export const SCALARS: ReadonlyMap<ScalarType, ScalarWriter> = new Map<ScalarType, ScalarWriter>([
  [ScalarType.INT32, signed32],
  [ScalarType.INT64, signed64],
  [ScalarType.UINT32, { wire: 0, write: (out, value) => out.varint(integer(value, 0, 2 ** 32 - 1)), isDefault: isZero }],
  [ScalarType.UINT64, { wire: 0, write: (out, value) => out.varint64(long(value, 0n, 2n ** 64n - 1n)), isDefault: isZero }],
  [ScalarType.FIXED32, { wire: 5, write: (out, value) => out.fixed32(integer(value, 0, 2 ** 32 - 1)), isDefault: isZero }],
  [ScalarType.FIXED64, { wire: 1, write: (out, value) => out.fixed64(long(value, 0n, 2n ** 64n - 1n)), isDefault: isZero }],
  [ScalarType.DOUBLE, { wire: 1, write: (out, value) => out.double(decimal(value)), isDefault: isZero }],
  [
    ScalarType.FLOAT,
    {
      wire: 5,
      write(out, value) {
        const number = decimal(value);
        out.float(Number.isFinite(number) && Math.abs(number) > MOST_FLOAT ? fail(value) : number);
      },
      isDefault: isZero,
    },
  ],
  [
    ScalarType.BOOL,
    { wire: 0, write: (out, value) => out.varint(typeof value === 'boolean' ? Number(value) : fail(value)), isDefault: (v) => v === false },
  ],
  [
    ScalarType.STRING,
    { wire: 2, write: (out, value) => out.text(typeof value === 'string' ? wellFormed(value) : fail(value)), isDefault: (v) => v === '' },
  ],
  [
    ScalarType.BYTES,
    { wire: 2, write: (out, value) => out.bytes(typeof value === 'string' ? base64(value) : fail(value)), isDefault: (v) => v === '' },
  ],
]);

function wellFormed(value: string): string {
  return value.isWellFormed() ? value : fail(value);
}

/** Either alphabet, with or without padding. */
function base64(value: string): Uint8Array {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) ? Buffer.from(value, 'base64') : fail(value);
}

/** An enum's values by name or number. */
export function enumWriter(desc: DescEnum): ScalarWriter {
  const numbers = new Map(desc.values.map((v) => [v.name, v.number]));
  const numberOf = (value: unknown): number =>
    typeof value === 'string' ? (numbers.get(value) ?? fail(value)) : integer(value, -I32, I32 - 1);
  return {
    wire: 0,
    write: (out, value) => signed32.write(out, numberOf(value)),
    isDefault: (value) => value === 0 || (typeof value === 'string' && numbers.get(value) === 0),
  };
}
