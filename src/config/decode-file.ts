import { isUtf8 } from 'node:buffer';
import type { Problem } from '../errors.ts';
import { type TextFile, textFile } from './text-file.ts';

/** Files beyond this are refused unless an option says otherwise: 64 MiB. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * The text of a file's bytes, or why they are no text: too large (`file/too-large`), UTF-16 or UTF-32 (`file/encoding`),
 * binary (`file/binary`) or invalid UTF-8 (`file/encoding`), the latter two with the position of the first bad byte.
 */
export function decodeFile(name: string, bytes: Buffer, maxBytes: number = MAX_FILE_BYTES): TextFile | Problem {
  if (bytes.length > maxBytes) return tooLarge(name, bytes.length, maxBytes);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return refuse(name, 'file/encoding', 'the file is UTF-16', 'Save it as UTF-8; in PowerShell, write it with `-Encoding utf8`', 1, 1);
  }
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const body = hasMark ? bytes.subarray(3) : bytes;
  const zero = body.indexOf(0);
  if (zero !== -1) {
    const { line, column } = placeOfByte(body, zero);
    return refuse(
      name,
      'file/binary',
      `the file is binary: it has a zero byte at offset ${zero + bytes.length - body.length}`,
      undefined,
      line,
      column,
    );
  }
  if (!isUtf8(body)) {
    const bad = firstInvalidByte(body);
    const { line, column } = placeOfByte(body, bad);
    const hex = body[bad]!.toString(16).padStart(2, '0');
    const message = `the file is not UTF-8: byte 0x${hex} at offset ${bad + bytes.length - body.length} begins no valid character`;
    return refuse(name, 'file/encoding', message, 'Save the file as UTF-8', line, column);
  }
  return textFile(name, body.toString('utf8'));
}

/** The problem of a file that is larger than `maxBytes`. */
export function tooLarge(name: string, bytes: number, maxBytes: number): Problem {
  const mebibytes = (n: number): string => `${(n / 1024 / 1024).toFixed(1)} MiB`;
  return {
    severity: 'error',
    rule: 'file/too-large',
    message: `the file has ${mebibytes(bytes)}, the limit is ${mebibytes(maxBytes)}`,
    hint: 'Split it into several files',
    position: { file: name, line: 1, column: 1 },
  };
}

function refuse(file: string, rule: string, message: string, hint: string | undefined, line: number, column: number): Problem {
  return { severity: 'error', rule, message, ...(hint === undefined ? {} : { hint }), position: { file, line, column } };
}

/** What is before the offset is valid UTF-8. */
function placeOfByte(bytes: Buffer, offset: number): { line: number; column: number } {
  const before = textFile('', bytes.toString('utf8', 0, offset));
  return before.positionAt(before.text.length);
}

/** Offset of the first byte that begins no valid character: the longest valid prefix, by halving at character boundaries. */
function firstInvalidByte(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 8) {
    let middle = (good + bad) >> 1;
    // RFC 3629: a character has at most three continuation bytes.
    for (let back = 0; back < 4 && middle > good && (bytes[middle]! & 0xc0) === 0x80; back++) middle--;
    if (middle === good) middle = (good + bad) >> 1;
    if (isUtf8(bytes.subarray(good, middle))) good = middle;
    else bad = middle;
  }
  while (good < bytes.length) {
    let length = 1;
    while (length <= 4 && !isUtf8(bytes.subarray(good, good + length))) length++;
    if (length > 4) return good;
    good += length;
  }
  return bytes.length - 1;
}
