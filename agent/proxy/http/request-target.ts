/** What a request line asks for. */
export interface RequestTarget {
  /** Empty when the target does not say it. */
  scheme: '' | 'http' | 'https';
  /** Given by an absolute-form or authority-form target: it counts before Host (RFC 9112 3.2.2). */
  authority: string | undefined;
  path: string;
  invalid: boolean;
}

const absoluteForm = /^(https?):\/\/([^/?#]*)(.*)$/i;

/** Reads the four forms of RFC 9112 3.2. `upgrade` is `connect` for CONNECT. */
export function readTarget(
  request: { url?: string | undefined; method?: string | undefined },
  upgrade: string | undefined,
  absoluteUrl: boolean,
): RequestTarget {
  const url = request.url ?? '';
  const target: RequestTarget = { scheme: '', authority: undefined, path: url, invalid: false };
  if (url.charCodeAt(0) === 47) return target;
  if (upgrade === 'connect') {
    target.authority = url;
    target.path = '';
    target.invalid = !/^(?:\[[0-9a-fA-F:.]+\]|[^\s/?#@[\]]+):\d{1,5}$/.test(url);
    return target;
  }
  const found = absoluteUrl ? absoluteForm.exec(url) : null;
  if (found !== null) {
    const [, scheme, authority, rest] = found as unknown as [string, string, string, string];
    target.scheme = scheme.toLowerCase() as 'http' | 'https';
    // RFC 9110 4.2.4: no user information.
    target.authority = authority.slice(authority.lastIndexOf('@') + 1);
    target.path = rest === '' ? '/' : rest.startsWith('/') ? rest : `/${rest}`;
    target.invalid = target.authority === '';
    return target;
  }
  // Asterisk-form is for OPTIONS alone; it matches no route.
  target.invalid = !(url === '*' && request.method === 'OPTIONS');
  return target;
}
