import { canonicalText } from './model/canonical-text.ts';

/**
 * Gives each finding a fingerprint that stays when lines move, entries are inserted before it, or a file is renamed: made of code, object,
 * field without indices, and what is said of it. Equal ones are numbered in order.
 */
export function fingerprinter(): (finding: { code: string; origin: string; path: string; args: unknown }) => string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const seen = new Map<string, number>();
  return ({ code, origin, path, args }) => {
    const identity = [code, origin, path.replace(/\[\d+\]/g, '[]'), canonicalText(args)].join('\n');
    const count = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, count);
    const text = count === 1 ? identity : `${identity}\n${count}`;
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
  };
}
