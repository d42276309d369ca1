/** Takes secrets out of JSON, by names and by what values look like. */
import { REDACTED, redactText } from './redact-text.ts';
import { isSecretHeader, isSecretName } from './sensitive-names.ts';

export interface RedactedJson {
  readonly value: unknown;
  /** How many values were taken out. */
  readonly count: number;
}

/** Envoy's DataSource has its text in one of these: envoy.config.core.v3.DataSource. */
const INLINE = new Set(['inline_string', 'inlineString', 'inline_bytes', 'inlineBytes']);
/** Private members of a JSON Web Key: RFC 7518 6.2.2, 6.3.2, 6.4.1. */
const PRIVATE_JWK = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);
/** What Envoy and we write where a secret was. */
const TAKEN = /^(?:\[redacted\]|W3JlZGFjdGVkXQ==)$/;

type Json = Record<string, unknown>;

/** A copy of the value without secrets: names and structure stay. */
export function redactJson(value: unknown): RedactedJson {
  let count = 0;

  const taken = (text: string): string => {
    if (text === '' || TAKEN.test(text)) return text;
    count += 1;
    return REDACTED;
  };

  const text = (from: string): string => {
    // JSON in text, as jwks and metadata have it: names in it count as well.
    if (/^\s*[{[]/.test(from) && from.length > 2) {
      try {
        const inner = redactJson(JSON.parse(from));
        if (inner.count === 0) return from;
        count += inner.count;
        return JSON.stringify(inner.value);
      } catch {
        // It only begins like JSON.
      }
    }
    const redacted = redactText(from);
    count += redacted.count;
    return redacted.text;
  };

  /** Everything that can say something. */
  const all = (from: unknown): unknown => {
    if (typeof from === 'string') return taken(from);
    if (typeof from === 'number') return taken(String(from));
    if (Array.isArray(from)) return from.map(all);
    if (from === null || typeof from !== 'object') return from;
    return Object.fromEntries(Object.entries(from).map(([key, inner]) => [key, key === '@type' ? inner : all(inner)]));
  };

  /** The value of a name that says it is secret: texts, and the text of a DataSource; what is an object besides is looked into. */
  const secret = (from: unknown): unknown => {
    if (typeof from === 'string') return taken(from);
    if (Array.isArray(from)) return from.map((one) => (typeof one === 'string' ? taken(one) : walk(one)));
    if (from === null || typeof from !== 'object') return from;
    return Object.fromEntries(
      Object.entries(from).map(([key, inner]) => [key, INLINE.has(key) && typeof inner === 'string' ? taken(inner) : field(key, inner)]),
    );
  };

  const field = (key: string, from: unknown): unknown => {
    if (isSecretHeader(key)) return all(from);
    return isSecretName(key) ? secret(from) : walk(from);
  };

  const object = (from: Json): Json => {
    const isJwk = typeof from['kty'] === 'string';
    // `{name: DB_PASSWORD, value: …}`, `{key: authorization, value: …}`, and a match of such a header.
    const named = [from['name'], from['key'], from['header_name'], from['headerName']].find((n) => typeof n === 'string') as
      | string
      | undefined;
    const namesHeader = named !== undefined && isSecretHeader(named);
    const namesSecret = named !== undefined && isSecretName(named);
    return Object.fromEntries(
      Object.entries(from).map(([key, inner]) => {
        if (isJwk && PRIVATE_JWK.has(key)) return [key, all(inner)];
        if (inner === named) return [key, inner];
        if (namesSecret && /^(?:raw_?)?value$/i.test(key)) return [key, all(inner)];
        if (namesHeader && /match|exact|regex|prefix|suffix|contains|values?$/i.test(key)) return [key, all(inner)];
        return [key, field(key, inner)];
      }),
    );
  };

  function walk(from: unknown): unknown {
    if (typeof from === 'string') return text(from);
    if (Array.isArray(from)) return from.map(walk);
    return from === null || typeof from !== 'object' ? from : object(from as Json);
  }

  return { value: walk(value), count };
}
