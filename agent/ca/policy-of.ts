/** A parsed policy file as a Policy. */
import { parseDuration } from '../../src/config/duration.ts';
import { DEFAULT_POLICY, type JwtIssuer, type Policy, type PolicyRule } from './policy.ts';

type Path = readonly (string | number)[];
type Wrong = (path: Path, message: string) => void;
type Fields = Record<string, unknown>;

/** What is wrong is reported; the answer counts only when nothing was. */
export function policyOf(value: unknown, wrong: Wrong): Policy {
  const fields = fieldsOf(value ?? {}, [], ['ttl', 'rateLimit', 'allow', 'jwt'], wrong);
  const ttl = fieldsOf(fields['ttl'] ?? {}, ['ttl'], ['default', 'max'], wrong);
  const rate = fieldsOf(fields['rateLimit'] ?? {}, ['rateLimit'], ['perMinute', 'burst'], wrong);
  const maxLifeMs = lifeOf(ttl['max'], ['ttl', 'max'], wrong) ?? DEFAULT_POLICY.maxLifeMs;
  const defaultLifeMs = lifeOf(ttl['default'], ['ttl', 'default'], wrong) ?? Math.min(DEFAULT_POLICY.defaultLifeMs, maxLifeMs);
  if (defaultLifeMs > maxLifeMs) wrong(['ttl', 'default'], 'ttl.default is longer than ttl.max');
  return {
    defaultLifeMs,
    maxLifeMs,
    rateLimit: {
      perMinute: countOf(rate['perMinute'], ['rateLimit', 'perMinute'], wrong) ?? DEFAULT_POLICY.rateLimit.perMinute,
      burst: countOf(rate['burst'], ['rateLimit', 'burst'], wrong) ?? DEFAULT_POLICY.rateLimit.burst,
    },
    rules: listOf(fields['allow'], ['allow'], wrong).map((rule, i) => ruleOf(rule, ['allow', i], wrong)),
    jwt: listOf(fields['jwt'], ['jwt'], wrong).map((issuer, i) => issuerOf(issuer, ['jwt', i], wrong)),
  };
}

function ruleOf(value: unknown, path: Path, wrong: Wrong): PolicyRule {
  const fields = fieldsOf(value, path, ['callers', 'identities', 'dnsNames', 'maxTtl'], wrong);
  const patterns = (field: string): RegExp[] => textsOf(fields[field], [...path, field], wrong).map(patternOf);
  for (const field of ['callers', 'identities'])
    if (fields[field] === undefined)
      wrong(path, `a rule needs ${field}: a list of SPIFFE IDs, in which * stands for anything within a segment`);
  return {
    callers: patterns('callers'),
    identities: patterns('identities'),
    dnsNames: patterns('dnsNames'),
    maxLifeMs: lifeOf(fields['maxTtl'], [...path, 'maxTtl'], wrong),
  };
}

function issuerOf(value: unknown, path: Path, wrong: Wrong): JwtIssuer {
  const fields = fieldsOf(value, path, ['issuer', 'audiences', 'jwks', 'identity'], wrong);
  const text = (field: string): string => {
    const given = fields[field];
    if (typeof given === 'string' && given !== '') return given;
    wrong(given === undefined ? path : [...path, field], `${field} must be a text`);
    return '';
  };
  const audiences = textsOf(fields['audiences'], [...path, 'audiences'], wrong);
  if (audiences.length === 0) wrong(path, 'audiences must name at least one: a token that is meant for somebody else is not for the CA');
  const identity = fields['identity'];
  if (identity !== 'kubernetes' && identity !== 'spiffe')
    wrong(identity === undefined ? path : [...path, 'identity'], 'identity must be `kubernetes` or `spiffe`');
  const jwks = text('jwks');
  // Keys that came over a plain connection are anybody's.
  if (/^http:/i.test(jwks)) wrong([...path, 'jwks'], 'jwks must be a file or an https URL');
  return { issuer: text('issuer'), audiences, jwks, identity: identity === 'spiffe' ? 'spiffe' : 'kubernetes' };
}

/** `*`: anything within a segment; `**`: anything. Everything else is itself; the whole text must match. */
export function patternOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*+)/)
    .map((part) => (part.startsWith('*') ? (part.length > 1 ? '.*' : '[^/]*') : part.replaceAll(/[.+?^${}()|[\]\\/-]/g, '\\$&')))
    .join('');
  return new RegExp(`^(?:${source})$`);
}

function fieldsOf(value: unknown, path: Path, known: readonly string[], wrong: Wrong): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    wrong(path, `${path.at(-1) ?? 'the policy'} must be an object with ${known.join(', ')}`);
    return {};
  }
  for (const field of Object.keys(value))
    if (!known.includes(field)) wrong([...path, field], `there is no field ${field} here; there are ${known.join(', ')}`);
  return value as Fields;
}

function listOf(value: unknown, path: Path, wrong: Wrong): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  wrong(path, `${path.at(-1)} must be a list`);
  return [];
}

function textsOf(value: unknown, path: Path, wrong: Wrong): string[] {
  return listOf(value, path, wrong).filter((text, i): text is string => {
    if (typeof text === 'string' && text !== '') return true;
    wrong([...path, i], 'a text was expected');
    return false;
  });
}

function lifeOf(value: unknown, path: Path, wrong: Wrong): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms !== undefined && ms >= 1000) return ms;
  wrong(path, `${path.at(-1)} must be a duration of a second or more, as 24h or 90m`);
  return undefined;
}

function countOf(value: unknown, path: Path, wrong: Wrong): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  wrong(path, `${path.at(-1)} must be a whole number above 0`);
  return undefined;
}
