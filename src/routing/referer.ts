/** Characters of a query, a fragment or a path, besides `/` and `:` (RFC 3986 3.3, 3.4). */
const RELATIVE = /^[\w\-.~%!$&'()*+,;=@?]*$/;
/** A URL with scheme and host, without user, fragment, blanks and controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ABSOLUTE = /^[a-z]+:\/\/(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d+)?(?:[/?][^\x00-\x20#\x7f]*)?$/i;

/** Whether a Referer may go on: Envoy removes others. Envoy: Utility::isValidRefererValue. */
export function isValidReferer(value: string): boolean {
  if (ABSOLUTE.test(value)) return true;
  // RFC 3986 4.2: the first segment of a relative reference has no colon.
  const colon = value.indexOf(':');
  const slash = value.indexOf('/');
  if (colon >= 0 && (slash < 0 || colon < slash)) return false;
  return RELATIVE.test(value.replace(/[/:]/g, ''));
}
