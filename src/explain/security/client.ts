import type { CommonTlsContextJson, DownstreamTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { PeerCertificate } from '../../routing/peer-certificate.ts';
import { ProblemList } from '../../routing/problems.ts';
import { compileStringMatcher } from '../../routing/string-matcher.ts';
import type { ClientIdentity } from '../types.ts';

/** Stands for what only the certificate itself tells. */
const UNKNOWN = '{of the certificate}';

/** A certificate of which nothing but its names is known. */
export function certificateOf({ uris = [], dnsNames = [], subject = '' }: ClientIdentity): PeerCertificate {
  return { uriSans: uris, dnsSans: dnsNames, subject, issuer: UNKNOWN, serial: UNKNOWN, sha256: UNKNOWN, pem: UNKNOWN };
}

/** `spiffe://…`, else the first of its other names. */
export function identityText({ uriSans, dnsSans, subject }: PeerCertificate): string {
  return uriSans[0] ?? dnsSans[0] ?? (subject === '' ? 'a certificate without names' : subject);
}

/** The names of which a certificate must have one; undefined: certificates are not looked at. */
export function namesAsked({
  validationContext: alone,
  combinedValidationContext: combined,
  validationContextSdsSecretConfig: sds,
}: CommonTlsContextJson): readonly StringMatcherJson[] | undefined {
  if (alone === undefined && combined === undefined && sds === undefined) return undefined;
  const { matchTypedSubjectAltNames = [] } = combined?.defaultValidationContext ?? alone ?? {};
  return matchTypedSubjectAltNames.flatMap(({ matcher }) => (matcher === undefined ? [] : [matcher]));
}

/** Whether one of the names is one of those that are asked for; without any, whoever was certified will do. */
export function isNamed(asked: readonly StringMatcherJson[], { uriSans, dnsSans }: PeerCertificate): boolean {
  if (asked.length === 0) return true;
  const names = [...uriSans, ...dnsSans];
  return asked.some((json) => names.some((name) => compileStringMatcher(json, '', new ProblemList()).test(name)));
}

export const namesText = (asked: readonly StringMatcherJson[]): string =>
  asked
    .slice(0, 3)
    .map(
      ({ exact, prefix, suffix, safeRegex }) =>
        exact ?? (prefix === undefined ? (suffix === undefined ? (safeRegex?.regex ?? '') : `*${suffix}`) : `${prefix}*`),
    )
    .join(' or ') + (asked.length > 3 ? ' or others' : '');

/** What a server that ends TLS makes of its client: the certificate that was taken, or why the handshake fails. */
export function checkClient(
  context: DownstreamTlsContextJson,
  shown: PeerCertificate | undefined,
): { readonly peer: PeerCertificate | undefined } | { readonly refused: string } {
  const asked = namesAsked(context.commonTlsContext ?? {});
  const required = context.requireClientCertificate === true;
  if (asked === undefined && !required) return { peer: undefined };
  if (shown === undefined)
    return required ? { refused: 'it asks for the client’s certificate, and the client shows none' } : { peer: undefined };
  if (asked !== undefined && !isNamed(asked, shown))
    return { refused: `the client’s certificate is for ${identityText(shown)}; only ${namesText(asked)} may connect` };
  return { peer: shown };
}
