/** Who may have which certificate, for how long, and how often: `policy.yaml` in the CA's directory. docs/certificates.md describes it. */
import type { KeyObject } from 'node:crypto';
import { describeKey } from '../../src/pki/keys.ts';
import type { Caller } from './issue.ts';

/** What callers may have besides a certificate for their own identity. */
export interface PolicyRule {
  /** SPIFFE IDs with `*` for anything within a segment, `**` for anything at all. */
  callers: readonly RegExp[];
  identities: readonly RegExp[];
  /** Host names that certificates may carry. */
  dnsNames: readonly RegExp[];
  /** Cuts the life of what it allows further. */
  maxLifeMs: number | undefined;
}

/** Where tokens of others come from. */
export interface JwtIssuer {
  issuer: string;
  audiences: readonly string[];
  /** A file or an https URL. */
  jwks: string;
  /**
   * The identity that a token stands for: `kubernetes` makes it of the subject `system:serviceaccount:NAMESPACE:NAME`, `spiffe` takes the subject
   * as it is.
   */
  identity: 'kubernetes' | 'spiffe';
}

export interface Policy {
  defaultLifeMs: number;
  maxLifeMs: number;
  rules: readonly PolicyRule[];
  /** Certificates per caller: that many at once, refilled at that rate. */
  rateLimit: { perMinute: number; burst: number };
  jwt: readonly JwtIssuer[];
}

/** Certificates without any policy: everybody for itself, a day. */
export const DEFAULT_POLICY: Policy = {
  defaultLifeMs: 24 * 3_600_000,
  maxLifeMs: 48 * 3_600_000,
  rules: [],
  rateLimit: { perMinute: 600, burst: 200 },
  jwt: [],
};

const anyOf = (patterns: readonly RegExp[], text: string): boolean => patterns.some((pattern) => pattern.test(text));

/** Whoever asks for another by right has what that one has. */
const rulesFor = ({ rules }: Policy, { name, vouched = name }: Caller, identity: string): PolicyRule[] =>
  rules.filter((rule) => (anyOf(rule.callers, name) || anyOf(rule.callers, vouched)) && anyOf(rule.identities, identity));

/** Why a caller may not have it; undefined when it may. Whoever holds the CA's directory (`local`) may have any identity of its trust domain. */
export function refusalFor(
  policy: Policy,
  caller: Caller,
  identity: string,
  dnsNames: readonly string[],
  publicKey: KeyObject,
): string | undefined {
  const { weakness, name: kind } = describeKey(publicKey);
  if (weakness) return `its key is weak (${kind}): ${weakness}`;
  const bad = dnsNames.find((dns) => dns.length > 253 || !HOST.test(dns));
  if (bad !== undefined) return `${JSON.stringify(bad)} is not a host name`;
  if (caller.by === 'local') return undefined;
  const rules = rulesFor(policy, caller, identity);
  if (caller.name !== identity && caller.vouched !== identity && rules.length === 0) return 'no rule of the policy allows it';
  const denied = dnsNames.find((dns) => !rules.some((rule) => anyOf(rule.dnsNames, dns)));
  return denied === undefined ? undefined : `no rule of the policy allows the host name ${denied}`;
}

/** RFC 1123, with an optional wildcard as the whole first label. */
const HOST = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** How long a certificate lives: what was asked for, at most what the policy and the most generous rule allow. */
export function lifeFor(policy: Policy, caller: Caller, identity: string, wanted: number | undefined): number {
  const caps = rulesFor(policy, caller, identity).map((rule) => rule.maxLifeMs ?? policy.maxLifeMs);
  const cap = Math.min(policy.maxLifeMs, caps.length > 0 ? Math.max(...caps) : policy.maxLifeMs);
  return Math.min(wanted ?? policy.defaultLifeMs, cap);
}
