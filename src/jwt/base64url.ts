/** Decodes base64url (RFC 4648 5), padded or not; blanks do not count, as in Envoy. Undefined when it is none. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const found = /^([A-Za-z0-9_-]*)(={0,2})$/.exec(text.replace(/[\t-\r ]/g, ''));
  if (found === null) return undefined;
  const [, digits = '', padding = ''] = found;
  if (digits.length % 4 === 1 || (padding !== '' && (digits.length + padding.length) % 4 !== 0)) return undefined;
  return Buffer.from(digits, 'base64url');
}
