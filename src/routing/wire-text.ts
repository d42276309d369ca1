/**
 * Header values and paths are bytes; node:http hands them over as latin1 text, one character a byte. Configuration is
 * UTF-8. Both meet as bytes: configured text is turned into the same form once, when it is compiled.
 */
const ascii = /^[\0-\x7f]*$/;

/** True when every character is below 128. */
export function isAscii(text: string): boolean {
  return ascii.test(text);
}

/** Configured text as one character a byte of its UTF-8. */
export function toWire(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** One character a byte back to text; undefined when the bytes are not UTF-8. */
export function fromWire(wire: string): string | undefined {
  if (isAscii(wire)) return wire;
  const text = Buffer.from(wire, 'latin1').toString('utf8');
  return text.includes('\uFFFD') && toWire(text) !== wire ? undefined : text;
}

/** Lower case of A to Z only, as Envoy folds case; other bytes stay. */
export function lowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, lower) : text;
}

const lower = (part: string): string => part.toLowerCase();
