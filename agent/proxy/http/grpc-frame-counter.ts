/** gRPC over HTTP/2: a message is one byte of flags and four of length in front. */
const PREFIX = 5;

/** Counts the gRPC messages that begin in a body, however it is cut into chunks. */
export class GrpcFrameCounter {
  count = 0;
  /** Bytes of the current message that are still to come. */
  #left = 0;
  /** Bytes of the current prefix that came. */
  #seen = 0;
  #length = 0;

  see(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      const byte = chunk[at++]!;
      if (this.#seen > 0) this.#length = this.#length * 256 + byte;
      if (++this.#seen < PREFIX) continue;
      this.count++;
      this.#left = this.#length;
      this.#seen = 0;
      this.#length = 0;
    }
  }
}
