import { canonicalText } from '../routing/canonical-text.ts';

/**
 * Gives each finding a fingerprint that stays when lines move, entries are inserted before it, or a file is renamed: made of code, object,
 * field without indices, and what is said of it. Equal ones are numbered in order.
 */
export function fingerprinter(): (finding: { code: string; origin: string; path: string; args: unknown }) => string {
  const { hash } = process.getBuiltinModule('node:crypto');
  const seen = new Map<string, number>();
  return ({ code, origin, path, args }) => {
    const identity = [code, origin, path.replace(/\[\d+\]/g, '[]'), canonicalText(args)].join('\n');
    const print = (text: string): string => hash('sha256', text, 'hex').slice(0, 16);
    const first = print(identity);
    const count = (seen.get(first) ?? 0) + 1;
    seen.set(first, count);
    return count === 1 ? first : print(`${identity}\n${count}`);
  };
}
