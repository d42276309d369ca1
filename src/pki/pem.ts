/** PEM: RFC 7468. */

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  label: string;
  der: Buffer;
}

/** One block, lines of 64 characters, a line break at the end. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replaceAll(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----([^-]*)-----END \1-----/g;

/** All blocks of a text, in order; what stands between them is left out (RFC 7468 5.2). Blocks whose base64 is broken are left out too. */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [, label, body] of text.matchAll(BLOCK)) {
    const base64 = (body as string).replaceAll(/\s+/g, '');
    if (base64 !== '' && base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64))
      blocks.push({ label: label as string, der: Buffer.from(base64, 'base64') });
  }
  return blocks;
}
