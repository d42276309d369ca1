/** Takes secrets out of text of any kind: logs, stats, messages. What looks like one goes, even where it is none. */

/** In place of what was taken out. */
export const REDACTED = '[redacted]';

export interface Redacted {
  readonly text: string;
  /** How many were taken out. */
  readonly count: number;
}

const HEADER_NAMES =
  '(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token|x-access-token|x-amz-security-token|x-csrf-token|x-forwarded-access-token|x-goog-api-key|x-vault-token|x-xsrf-token';

interface Rule {
  readonly pattern: RegExp;
  /** Groups that stay: what stands before and after. */
  readonly keep?: (groups: readonly string[]) => [before: string, after: string];
}

const around = ([before = '', after = '']: readonly string[]): [string, string] => [before, after];

/** Every repetition has a bound, so that no text takes longer than its length. */
const RULES: readonly Rule[] = [
  // RFC 7468; with real line feeds, escaped ones, or without its end, where a log was cut.
  {
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY-----(?:[\s\S]{0,16000}?-----END [A-Z0-9 ]{0,20}PRIVATE KEY-----|[A-Za-z0-9+/=\\\s]{0,16000})/g,
  },
  // The same in base64, as Secrets have it: it begins with -----BEGIN.
  { pattern: /LS0tLS1CRUdJTi[A-Za-z0-9+/=]+/g, keep: ([whole = '']) => (holdsPrivateKey(whole) ? ['', ''] : [whole, '']) },
  // RFC 7519, in three parts; the first two are JSON objects.
  { pattern: /\beyJ[A-Za-z0-9_-]{6,1024}\.eyJ[A-Za-z0-9_-]{6,16384}\.[A-Za-z0-9_-]{0,4096}/g },
  // Envoy's debug logs: 'authorization', 'Bearer …' and key=authorization value=….
  { pattern: new RegExp(`('(?:${HEADER_NAMES})',\\s{0,4}')[^'\\n]*(')`, 'gi'), keep: around },
  { pattern: new RegExp(`(key=(?:${HEADER_NAMES}) value=)[^\\n]+`, 'gi'), keep: around },
  // A header in JSON, in JSON that is text in JSON, and as text, whole or cut.
  { pattern: new RegExp(`("(?:${HEADER_NAMES})"\\s{0,4}:\\s{0,4}")(?:[^"\\\\\\n]|\\\\.)*(")`, 'gi'), keep: around },
  {
    pattern: new RegExp(`(\\\\"(?:${HEADER_NAMES})\\\\"\\s{0,4}:\\s{0,4}\\\\")(?:[^"\\\\\\n]|\\\\\\\\(?:\\\\"|[^"\\n]))*(\\\\")`, 'gi'),
    keep: around,
  },
  {
    pattern: new RegExp(`(\\b(?:${HEADER_NAMES})\\\\?["']?\\s{0,4}[:=]\\s{0,4}\\\\?["']?)(?!\\\\?["']?\\[redacted\\])[^\\n"'}\\]]+`, 'gi'),
    keep: around,
  },
  { pattern: /\b((?:Bearer|Basic|Negotiate|Digest)\s{1,4})(?!\[redacted\])[A-Za-z0-9._~+/=-]{6,}/g, keep: around },
  // user:password@ of a URL, RFC 3986 3.2.1.
  { pattern: /(\b[a-z][a-z0-9+-]{0,20}:\/\/)[^\s/@"'<>:]{1,256}:[^\s/@"'<>]{1,256}(@)/gi, keep: around },
  // name=value and name: value, in queries and logs; what is written as an object or a list is looked into by itself.
  {
    pattern:
      /((?:\b|_)(?:[\w.-]{0,64}(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|credentials?)|sig|signature)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)(?!\[redacted\]|null\b|true\b|false\b|undefined\b)[^\s"'&,;{}[\]\\()<>]+/gi,
    keep: around,
  },
  // Keys of services that are known by their form.
  {
    pattern:
      /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bnpm_[A-Za-z0-9]{30,}\b|\bAIza[0-9A-Za-z_-]{30,}/g,
  },
];

/** The text without what looks like a secret. Linear in its length. */
export function redactText(text: string): Redacted {
  let { text: out, count } = withoutKeyEnds(text);
  for (const { pattern, keep } of RULES)
    out = out.replace(pattern, (...args: unknown[]) => {
      const [whole, ...rest] = args as [string, ...unknown[]];
      const groups = rest.slice(
        0,
        rest.findIndex((value) => typeof value === 'number'),
      ) as string[];
      const [before, after] = keep === undefined ? ['', ''] : keep(groups.length === 0 ? [whole] : groups);
      if (before === whole) return whole;
      count += 1;
      return `${before}${REDACTED}${after ?? ''}`;
    });
  return { text: out, count };
}

const KEY_END = /-----END [A-Z0-9 ]{0,20}PRIVATE KEY-----/g;

/** The last lines of private keys whose beginning was cut away: from the end back over what is base64. */
function withoutKeyEnds(text: string): Redacted {
  if (!text.includes('PRIVATE KEY-----')) return { text, count: 0 };
  let out = '';
  let at = 0;
  let count = 0;
  for (const { index, 0: marker } of text.matchAll(KEY_END)) {
    let from = index;
    while (from > at && /[A-Za-z0-9+/=\s\\]/.test(text[from - 1] as string)) from--;
    // A whole one is of the rules below.
    if (text.slice(Math.max(at, from - 5), from).endsWith('-----')) continue;
    out += `${text.slice(at, from)}${REDACTED}\n`;
    at = index + marker.length;
    count += 1;
  }
  return { text: out + text.slice(at), count };
}

function holdsPrivateKey(base64: string): boolean {
  return Buffer.from(base64.slice(0, 120), 'base64').toString('latin1').includes('PRIVATE KEY');
}
