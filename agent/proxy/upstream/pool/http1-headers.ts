import type { RawHeaders } from '../../types.ts';

/**
 * The request headers that undici takes: it frames bodies, keeps connections and switches protocols by itself and refuses
 * headers that would do so. Most requests have none of them, and their list is passed on as it is.
 */
export function http1Headers(headers: RawHeaders): RawHeaders {
  for (let i = 0; i < headers.length; i += 2) if (isOwn(headers[i]!)) return without(headers);
  return headers;
}

/** A look at the length first: this runs for every header of every request. */
function isOwn(name: string): boolean {
  switch (name.length) {
    case 6:
      return name === 'expect';
    case 7:
      return name === 'upgrade';
    case 10:
      return name === 'connection' || name === 'keep-alive';
    case 17:
      return name === 'transfer-encoding';
    default:
      return false;
  }
}

function without(headers: RawHeaders): RawHeaders {
  const kept: RawHeaders = [];
  for (let i = 0; i < headers.length; i += 2) if (!isOwn(headers[i]!)) kept.push(headers[i]!, headers[i + 1]!);
  return kept;
}
