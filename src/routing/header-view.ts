import type { HeaderSource } from './header-matcher.ts';

/** A flat header list (lower-case names) as matchers read it. */
export function headerView(headers: readonly string[], status?: number): HeaderSource {
  return {
    header(name) {
      if (name === ':status') return status === undefined ? undefined : String(status);
      let found: string | undefined;
      for (let i = 0; i < headers.length; i += 2) {
        if (headers[i] === name) found = found === undefined ? headers[i + 1]! : `${found},${headers[i + 1]}`;
      }
      return found;
    },
    headerValues(name) {
      if (name === ':status') return status === undefined ? [] : [String(status)];
      const values: string[] = [];
      for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) values.push(headers[i + 1]!);
      return values;
    },
  };
}
