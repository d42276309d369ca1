import type { RawHeaders, UpstreamRequest } from '../../types.ts';

/** RFC 9113 8.2.2: fields of a connection have no place in HTTP/2. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** A request's header list for HTTP/2: pseudo header fields first, `host` as `:authority`. */
export function http2RequestHeaders({ method, scheme = 'http', path, headers }: UpstreamRequest): RawHeaders {
  const out: RawHeaders = [':method', method, ':scheme', scheme, ':path', path];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (name === 'host') out.splice(6, 0, ':authority', value);
    // RFC 9113 8.2.2: `te` may say trailers and nothing else.
    else if (!CONNECTION_FIELDS.has(name) && (name !== 'te' || value === 'trailers')) out.push(name, value);
  }
  return out;
}

/** A response's header list without pseudo header fields. */
export function withoutPseudo(raw: RawHeaders): RawHeaders {
  let at = 0;
  while (at < raw.length && raw[at]!.startsWith(':')) at += 2;
  return at === 0 ? raw : raw.slice(at);
}

/** Trailers as the object that node:http2 wants for them. */
export function trailersObject(flat: RawHeaders | undefined): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; flat !== undefined && i < flat.length; i += 2) {
    const known = object[flat[i]!];
    if (known === undefined) object[flat[i]!] = flat[i + 1]!;
    else if (typeof known === 'string') object[flat[i]!] = [known, flat[i + 1]!];
    else known.push(flat[i + 1]!);
  }
  return object;
}
