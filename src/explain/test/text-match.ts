import { compileRegex } from '../../routing/regex.ts';
import { toWire } from '../../routing/wire-text.ts';
import type { TextMatch } from './types.ts';

/** Whether a text is as expected. */
export function textMatches(match: TextMatch, text: string): boolean {
  if (typeof match === 'string') return text === match;
  if (match.exact !== undefined) return text === match.exact;
  if (match.prefix !== undefined) return text.startsWith(match.prefix);
  if (match.suffix !== undefined) return text.endsWith(match.suffix);
  if (match.contains !== undefined) return text.includes(match.contains);
  const regex = compileRegex(match.regex ?? '');
  return typeof regex !== 'string' && regex.fullMatch(toWire(text));
}

/** What is expected, for people: `"/api"`, `a text that begins with "/api"`. */
export function textMatchText(match: TextMatch): string {
  if (typeof match === 'string') return JSON.stringify(match);
  const [[how, what] = ['exact', '']] = Object.entries(match);
  const words: Record<string, string> = { prefix: 'begins with', suffix: 'ends with', contains: 'contains', regex: 'matches' };
  return how === 'exact' ? JSON.stringify(what) : `what ${words[how]} ${JSON.stringify(what)}`;
}
