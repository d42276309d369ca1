/** Who a client is, by the names in its certificate (SPIFFE: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`). */
import type { PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import { claimTextMatcher } from './claim-matchers.ts';
import { escapeRegex, prefixedMatcher, regexMatcher, stringMatcher } from './value-matchers.ts';

const SPIFFE = 'spiffe://';
/** Stands for the mesh's own trust domain, whatever that is called (Istio). */
const LOCAL = 'cluster.local';

/** Envoy compares with the URI names of the certificate, then with its DNS names, then with its subject. */
const authenticated = (principalName: StringMatcherJson): PrincipalJson => ({ authenticated: { principalName } });

/** A principal under every name that the mesh's trust domain has; `domains` is that, then its aliases. */
function withAliases(principal: string, domains: readonly string[]): string[] {
  const [domain = '', ...rest] = principal.split('/');
  if (rest.length !== 4 || domain === '*') return [principal];
  if (domain !== LOCAL && !domains.includes(domain)) return [principal];
  return [...new Set(domains.map((d) => [d, ...rest].join('/')))];
}

/**
 * `principals`. A value without `/` cannot be a SPIFFE ID's, so it is taken for a DNS name of the certificate as well (not in Istio,
 * where it matches nothing).
 */
export function clientPrincipals(values: readonly string[], trustDomains: readonly string[]): PrincipalJson[] {
  return values.flatMap((value) => {
    const ids = withAliases(value, trustDomains).map((id) => authenticated(prefixedMatcher(SPIFFE, id)));
    return value === '*' || value.includes('/') ? ids : [...ids, authenticated(stringMatcher(value))];
  });
}

const inner = (text: string): string => escapeRegex(text).replaceAll('\\*', '.*');

export function clientNamespace(namespace: string): PrincipalJson {
  return authenticated(regexMatcher(`.*/ns/${inner(namespace)}/.*`));
}

/** `namespace/name`, or a name in the namespace of the policy. */
export function clientServiceAccount(value: string, policyNamespace: string): PrincipalJson {
  const [namespace, name] = value.includes('/') ? (value.split('/') as [string, string]) : [policyNamespace, value];
  return authenticated(regexMatcher(`spiffe://.+/ns/${escapeRegex(namespace)}/(.+/|)sa/${escapeRegex(name)}(/.+)?`));
}

export function clientTrustDomain(domain: string): PrincipalJson {
  if (!domain.includes('*')) return authenticated({ prefix: `${SPIFFE}${domain}/` });
  return authenticated(regexMatcher(`${SPIFFE}${escapeRegex(domain).replaceAll('\\*', domain === '*' ? '[^/]+' : '[^/]*')}/.*`));
}

/** `issuer/subject` of a token, split at the last slash. */
export function tokenPrincipal(value: string): PrincipalJson {
  const slash = value.lastIndexOf('/');
  const any = '*';
  const [issuer, subject] =
    slash !== -1
      ? [value.slice(0, slash), value.slice(slash + 1)]
      : value.startsWith('*')
        ? [any, value]
        : value.endsWith('*')
          ? [value, any]
          : [value, ''];
  return {
    andIds: {
      ids: [{ metadata: claimTextMatcher('iss', stringMatcher(issuer)) }, { metadata: claimTextMatcher('sub', stringMatcher(subject)) }],
    },
  };
}
