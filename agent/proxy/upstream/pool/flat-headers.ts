import type { RawHeaders } from '../../types.ts';
import { withoutBlanks } from './without-blanks.ts';

/** undici's headers as a flat list. Names are in lower case already; repeated ones follow each other. */
export function flatHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): RawHeaders {
  const flat: RawHeaders = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') flat.push(name, withoutBlanks(value));
    else if (value !== undefined) for (const one of value) flat.push(name, withoutBlanks(one));
  }
  return flat;
}
