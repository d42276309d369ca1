/** A flag and the length of the message, 4 bytes. */
const HEAD_BYTES = 5;

/**
 * Encodes a stream of gRPC messages in base64, each with a padding of its own, so that it can be read when it is here. It does not
 * wait for whole messages: only up to two bytes are kept back.
 */
export class Base64Frames {
  /** Bytes of the message's head that are still to come, or of its body. */
  #left = HEAD_BYTES;
  #inHead = true;
  #length = 0;
  #rest: Buffer | undefined;

  /** Base64 of what the chunk completes; may be empty. */
  encode(chunk: Buffer): Buffer {
    let text = '';
    let start = 0;
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(this.#left, chunk.length - at);
      if (this.#inHead)
        for (let i = 0; i < taken; i++) {
          // The flag comes first, and is pushed out by the length's four bytes.
          this.#length = ((this.#length << 8) | chunk[at + i]!) >>> 0;
        }
      at += taken;
      this.#left -= taken;
      if (this.#left > 0) break;
      if (this.#inHead && this.#length > 0) {
        this.#inHead = false;
        this.#left = this.#length;
        continue;
      }
      text += this.#take(chunk.subarray(start, at), true);
      start = at;
      this.#inHead = true;
      this.#left = HEAD_BYTES;
      this.#length = 0;
    }
    if (start < chunk.length) text += this.#take(chunk.subarray(start), false);
    return Buffer.from(text, 'latin1');
  }

  /** What was kept back of a message that broke off. */
  end(): string {
    return this.#rest === undefined ? '' : this.#take(Buffer.alloc(0), true);
  }

  #take(bytes: Buffer, whole: boolean): string {
    const all = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    const over = whole ? 0 : all.length % 3;
    this.#rest = over === 0 ? undefined : Buffer.from(all.subarray(all.length - over));
    return all.toString('base64', 0, all.length - over);
  }
}
