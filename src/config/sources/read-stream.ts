/** All of a stream, or how much there was when it went over the limit. */
export async function readStream(input: AsyncIterable<Uint8Array | string>, maxBytes: number): Promise<Buffer | { size: number }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > maxBytes) return { size };
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, size);
}
