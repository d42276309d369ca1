/** Reads a URL as a client would, without changing its path. */
export interface ParsedUrl {
  scheme: 'http' | 'https';
  /** Host and port as written. */
  authority: string;
  /** Without brackets and port. */
  host: string;
  /** The one named, else the scheme's. */
  port: number;
  /** With query; a fragment is never sent. */
  path: string;
}

/**
 * The parts of an absolute URL (RFC 3986, http and https); the scheme may be left out. A sentence that says what is wrong for everything
 * else.
 */
export function parseUrl(text: string): ParsedUrl | string {
  const shown = JSON.stringify(text);
  if (text === '') return 'the URL is empty';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no URL has them
  if (/[\x00-\x20\x7f]/.test(text)) return `${shown} is no URL: it has a space or a control character in it`;
  const found = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/?#]*)([^#]*)/.exec(text)!;
  const [, scheme = 'http', authority = '', rest = ''] = found as unknown as [string, string | undefined, string, string];
  const lower = scheme.toLowerCase();
  if (lower !== 'http' && lower !== 'https') return `${shown} is no http or https URL: its scheme is ${scheme}`;
  if (authority === '') return `${shown} names no host`;
  if (authority.includes('@')) return `${shown} has user information in it, which requests do not carry (RFC 9110 4.2.4)`;
  const split = splitAuthority(authority);
  if (split === undefined) return `${JSON.stringify(authority)} is not a host with an optional port`;
  const path = rest === '' ? '/' : rest.startsWith('/') ? rest : `/${rest}`;
  return { scheme: lower, authority, host: split.host, port: split.port ?? (lower === 'https' ? 443 : 80), path };
}

/** `reviews:9080`, `[::1]:80`, `10.0.0.1`; undefined when it is none. */
export function splitAuthority(authority: string): { host: string; port: number | undefined } | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(authority);
  if (found === null) return undefined;
  const port = found[3] === undefined ? undefined : Number(found[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { host: (found[1] ?? found[2])!, port };
}
