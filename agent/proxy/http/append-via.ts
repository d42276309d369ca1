import { hasHeader } from '../../../src/routing/header-mutation.ts';
import type { RawHeaders } from '../types.ts';

/** RFC 9110 7.6.3: each proxy adds itself at the end. In place. */
export function appendVia(headers: RawHeaders, via: string): void {
  const at = hasHeader(headers, 'via') ? headers.indexOf('via') : -1;
  if (at >= 0) headers[at + 1] += `, ${via}`;
  else headers.push('via', via);
}
