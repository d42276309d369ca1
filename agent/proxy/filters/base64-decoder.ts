const FOREIGN = /[^A-Za-z0-9+/=]/;
/** What is encoded at once, with the padding that ends it. */
const RUNS = /[^=]+={0,2}|=/g;

/**
 * Decodes base64 that comes in pieces of any size. Padding may end any group of four, as gRPC-Web clients encode piece by piece
 * (PROTOCOL-WEB.md, text-encoded streams).
 */
export class Base64Decoder {
  #rest = '';

  /** The bytes that are whole by now; undefined when the text is no base64. */
  decode(chunk: Buffer): Buffer | undefined {
    const text = this.#rest + chunk.toString('latin1');
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const groups = text.slice(0, whole);
    if (FOREIGN.test(groups)) return undefined;
    if (!groups.includes('=')) return Buffer.from(groups, 'base64');
    const pieces: Buffer[] = [];
    for (const [run] of groups.matchAll(RUNS)) {
      if (run.length % 4 !== 0) return undefined;
      pieces.push(Buffer.from(run, 'base64'));
    }
    return Buffer.concat(pieces);
  }

  /** False: the text ended within a group. */
  get complete(): boolean {
    return this.#rest === '';
  }
}
