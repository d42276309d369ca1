import { createRequire } from 'node:module';

let loaded: typeof import('re2js') | undefined;

/**
 * The RE2 engine, `re2js`, loaded when the first expression is there: most configuration has none, and commands should not
 * read 260 KB for it. Synchronous, because those who need it check or match in the middle of something else.
 */
export function re2(): typeof import('re2js') {
  loaded ??= createRequire(import.meta.url)('re2js') as typeof import('re2js');
  return loaded;
}
