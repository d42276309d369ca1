/** What happens to a request's path before routing: the path settings of Envoy's HTTP connection manager. */

export interface PathOptions {
  /** RFC 3986 with Chromium's URL rules, as Envoy does it. */
  normalizePath: boolean;
  mergeSlashes: boolean;
  escapedSlashes: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT' | 'UNESCAPE_AND_FORWARD';
  /** Refuse a path with `#` (Envoy: 400); else the fragment is cut off. */
  rejectFragment: boolean;
}

/** `redirect` is a 307 to `path`; `reject` is a 400 with these response code details. */
export type PathOutcome = { action: 'accept' | 'redirect'; path: string } | { action: 'reject'; details: string };

/** What a connection manager does unless told otherwise. */
export const DEFAULT_PATH_OPTIONS: PathOptions = {
  normalizePath: false,
  mergeSlashes: false,
  escapedSlashes: 'KEEP_UNCHANGED',
  rejectFragment: true,
};

/**
 * Nothing here can be changed by normalisation: a slash, then segments that begin with a letter, digit, `_`, `~` or `-` and hold
 * only characters that stay as they are; the query is never touched.
 */
const plainPath = /^\/(?:[A-Za-z0-9_~-][A-Za-z0-9_~.!$&'()*+,;=:@-]*(?:\/(?=[A-Za-z0-9_~?-]|$))?)*(?:\?[^#]*)?$/;

/**
 * Applies the settings in Envoy's order: fragment, escaped slashes, normalisation, slashes merged. The path is `:path` with its
 * query, one character a byte; query strings are never changed. A CONNECT without a path is not for this.
 */
export function normalizeRequestPath(path: string, options: PathOptions): PathOutcome {
  if (plainPath.test(path) && path !== '') return { action: 'accept', path };
  const hash = path.indexOf('#');
  if (hash >= 0) {
    if (options.rejectFragment) return { action: 'reject', details: 'path_normalization_failed' };
    path = path.slice(0, hash);
  }
  const mark = path.indexOf('?');
  const query = mark < 0 ? '' : path.slice(mark);
  let plain = mark < 0 ? path : path.slice(0, mark);
  let redirect = false;
  if (options.escapedSlashes !== 'KEEP_UNCHANGED' && /%(?:2f|5c)/i.test(plain)) {
    if (options.escapedSlashes === 'REJECT_REQUEST') return { action: 'reject', details: 'path_normalization_failed' };
    redirect = options.escapedSlashes === 'UNESCAPE_AND_REDIRECT';
    plain = plain.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
  }
  if (options.normalizePath) {
    const normal = canonicalPath(plain);
    if (normal === undefined) return { action: 'reject', details: 'path_normalization_failed' };
    plain = normal;
  }
  if (options.mergeSlashes) plain = mergeSlashes(plain);
  return { action: redirect ? 'redirect' : 'accept', path: plain + query };
}

/**
 * Runs of slashes become one. Envoy: a path of slashes alone keeps one at each end, `//`.
 */
export function mergeSlashes(path: string): string {
  if (!path.includes('//')) return path;
  const inner = path
    .split('/')
    .filter((segment) => segment !== '')
    .join('/');
  return `${path.startsWith('/') ? '/' : ''}${inner}${path.endsWith('/') ? '/' : ''}`;
}

/** Characters that Chromium's path canonicaliser escapes when they come raw. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these bytes are what it looks for
const escaped = /["<>^`{|}\x00-\x20\x7f-\xff]/g;
const unreserved = /%(2d|2e|5f|7e|3\d|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/gi;

/**
 * The canonical form of a path without query: backslashes are slashes, escaped unreserved characters are unescaped (other
 * escapes stay as they came, in their case), unsafe characters are escaped, dot segments are removed. Undefined for `%00`,
 * which Envoy answers with 400.
 */
export function canonicalPath(path: string): string | undefined {
  if (!/^[/\\]/.test(path) || /%00|\0/.test(path)) return undefined;
  const segments = path.slice(1).split(/[/\\]/);
  const out: string[] = [];
  for (let i = 0; i < segments.length; i++) {
    const raw = segments[i]!;
    const segment = canonicalSegment(raw);
    // Seen on Envoy 1.40: `..;x` is a dot segment too, but not when its dots came escaped.
    const dots = segment === '.' || segment === '..' ? segment : (/^\.\.?(?=;)/.exec(raw)?.[0] ?? '');
    if (dots === '') out.push(segment);
    else {
      if (dots === '..') out.pop();
      if (i === segments.length - 1) out.push('');
    }
  }
  return `/${out.join('/')}`;
}

function canonicalSegment(raw: string): string {
  return raw
    .replace(unreserved, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(escaped, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
