import type { HeaderSource } from './header-matcher.ts';

/** A cookie's value, double quotes around it removed; undefined when the request has none of that name. Envoy: forEachCookie. */
export function cookieValue(request: HeaderSource, name: string): string | undefined {
  for (const line of request.headerValues('cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).replace(/^ +/, '') !== name) continue;
      const value = pair.slice(equals + 1);
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return undefined;
}
