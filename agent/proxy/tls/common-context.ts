import { randomBytes, type X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { CertificateValidationContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { SdsSecretConfigJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { CommonTlsContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { ProblemList } from '../../../src/routing/problems.ts';
import { type OwnCertificate, readOwnCertificate, readTrustedCa, type TrustedCa } from './certificate-material.ts';
import { compilePeerCheck, type PeerCheck } from './peer-check.ts';
import type { SecretStore, StoredSecret } from './secret-store.ts';
import { secureContexts } from './secure-contexts.ts';
import { compileTlsParams } from './tls-params.ts';
import { unsupportedIn, unsupportedValidation } from './unsupported.ts';

/** A TLS context with the secrets of this moment in it. It stays the same object until one of them changes. */
export interface TlsState {
  readonly certificates: readonly OwnCertificate[];
  /** The chains of peers must lead to one of these. */
  readonly trusted: TrustedCa | undefined;
  /** Peers are looked at: by chain, names or hashes. */
  readonly validates: boolean;
  readonly check: PeerCheck;
  /** Names, hashes or keys of peers are asked for: whoever shows no certificate has none of them. */
  readonly asksForNames: boolean;
  /**
   * For a name in the ClientHello: the first certificate, or the one that has the name; beside it those with the name and other kinds of keys,
   * among which OpenSSL chooses by what the client can. Undefined: OpenSSL does not take them with these settings.
   */
  context(sni: string): { secure: SecureContext; certificates: readonly OwnCertificate[] } | undefined;
  /** Sessions to resume, by server name; they die with the state. */
  readonly sessions: Map<string, KeptSession[]>;
}

/** A session with a server. A ticket brings back that its chain was verified, but node:tls does not tell the certificate again. */
export interface KeptSession {
  readonly ticket: Buffer;
  readonly peer: X509Certificate;
}

/** What the configuration says, waiting for secrets. */
export interface CommonTls {
  readonly alpn: readonly string[];
  /** A validation context is configured. */
  readonly asksForPeer: boolean;
  /** Names of secrets, certificates first. */
  readonly secretNames: readonly string[];
  /** The reason when it cannot serve now: `secret "x" has not come yet`. */
  state(): TlsState | string;
}

/** Compiles a CommonTlsContext; certificates in the configuration itself are read at once. */
export function compileCommonTls(
  json: CommonTlsContextJson,
  side: 'server' | 'client',
  path: string,
  problems: ProblemList,
  secrets: SecretStore,
  more: SecureContextOptions = {},
): CommonTls {
  for (const { field, why } of unsupportedIn('CommonTlsContext', json)) problems.unsupported(`${path}.${field}`, why);
  const params = compileTlsParams(json.tlsParams, side, `${path}.tlsParams`, problems);
  const certificates: OwnCertificate[] = [];
  for (const [i, one] of (json.tlsCertificates ?? []).entries()) {
    const at = `${path}.tlsCertificates[${i}]`;
    for (const { field, why } of unsupportedIn('TlsCertificate', one)) problems.unsupported(`${at}.${field}`, why);
    attempt(at, problems, () => certificates.push(readOwnCertificate(one)));
  }
  const sdsCertificates = (json.tlsCertificateSdsSecretConfigs ?? []).map((sds, i) =>
    secretName(sds, `${path}.tlsCertificateSdsSecretConfigs[${i}]`, problems),
  );
  const combined = json.combinedValidationContext;
  const fixed = json.validationContext ?? combined?.defaultValidationContext;
  const at =
    json.validationContext !== undefined ? `${path}.validationContext` : `${path}.combinedValidationContext.defaultValidationContext`;
  let fixedCa: TrustedCa | undefined;
  if (fixed !== undefined) {
    for (const why of unsupportedValidation(fixed)) problems.unsupported(at, why);
    attempt(at, problems, () => {
      fixedCa = readTrustedCa(fixed);
    });
    compilePeerCheck(fixed, at, problems);
    if (json.validationContext !== undefined && namesWithoutCa(fixed, fixedCa))
      problems.invalid(at, 'names mean nothing without a trustedCa');
  }
  for (const field of ['validationContextCertificateProvider', 'validationContextCertificateProviderInstance'] as const)
    if (combined?.[field] !== undefined)
      problems.unsupported(`${path}.combinedValidationContext.${field}`, 'the trusted CA comes inline or as a secret');
  const sdsValidation = json.validationContextSdsSecretConfig ?? combined?.validationContextSdsSecretConfig;
  const validationName =
    sdsValidation &&
    secretName(
      sdsValidation,
      combined === undefined
        ? `${path}.validationContextSdsSecretConfig`
        : `${path}.combinedValidationContext.validationContextSdsSecretConfig`,
      problems,
    );
  const secretNames = [...sdsCertificates, ...(validationName === undefined ? [] : [validationName])];
  const alpn = json.alpnProtocols ?? [];

  let used: readonly (StoredSecret | undefined)[] | undefined;
  let made: TlsState | string = '';

  function build(found: readonly (StoredSecret | undefined)[]): TlsState | string {
    const missing = found.indexOf(undefined);
    if (missing >= 0) return `secret ${JSON.stringify(secretNames[missing])} has not come yet`;
    const own = [...certificates];
    for (const secret of found.slice(0, sdsCertificates.length)) {
      if (secret!.certificate === undefined) return `secret ${JSON.stringify(secret!.name)} is no certificate`;
      own.push(secret!.certificate);
    }
    const dynamic = validationName === undefined ? undefined : found.at(-1)!;
    if (dynamic !== undefined && dynamic.validation === undefined) return `secret ${JSON.stringify(dynamic.name)} is no validation context`;
    const validation = merge(fixed, dynamic?.validation?.json);
    const trusted = dynamic?.validation !== undefined && dynamic.validation.trusted.ca.length > 0 ? dynamic.validation.trusted : fixedCa;
    const crl = dynamic?.validation?.trusted.crl ?? fixedCa?.crl;
    const ca = trusted !== undefined && trusted.ca.length > 0 ? trusted : undefined;
    if (validation !== undefined && namesWithoutCa(validation, ca)) return 'names of peers are to be checked, but there is no trusted CA';
    const list = new ProblemList();
    const check = compilePeerCheck(validation ?? {}, 'validationContext', list);
    if (list.failed) return list.all[0]!.message;
    const hashes = (validation?.verifyCertificateHash?.length ?? 0) + (validation?.verifyCertificateSpki?.length ?? 0) > 0;
    const options: SecureContextOptions = {
      ...params,
      ...more,
      ca: [...(ca?.ca ?? [])],
      ...(ca !== undefined && { allowPartialTrustChain: true }),
      ...(ca !== undefined && crl !== undefined && { crl }),
      // Sessions of another context are not taken up: they were made under other secrets.
      ...(side === 'server' && { sessionIdContext: randomBytes(16).toString('hex') }),
    };
    const contextOf = secureContexts(options, ca);
    const groups = new Map<OwnCertificate, readonly OwnCertificate[]>();
    return {
      certificates: own,
      trusted: ca,
      validates: ca !== undefined || hashes,
      check,
      asksForNames: hashes || (validation?.matchTypedSubjectAltNames ?? []).length > 0,
      sessions: new Map(),
      context(sni) {
        const chosen = own.length > 1 ? companions(own, sni, groups) : own;
        try {
          return { secure: contextOf(chosen), certificates: chosen };
        } catch {
          return undefined;
        }
      },
    };
  }

  return {
    alpn,
    asksForPeer: fixed !== undefined || sdsValidation !== undefined,
    secretNames,
    state() {
      const found = secretNames.map((name) => secrets.get(name));
      if (used === undefined || found.some((secret, i) => secret !== used![i])) {
        made = build(found);
        used = found;
      }
      return made;
    },
  };
}

function secretName(sds: SdsSecretConfigJson, path: string, problems: ProblemList): string {
  const { apiConfigSource, pathConfigSource, path: file } = sds.sdsConfig ?? {};
  if (apiConfigSource !== undefined || pathConfigSource !== undefined || file !== undefined)
    problems.unsupported(`${path}.sdsConfig`, 'secrets come from the agent (ads)');
  if (!sds.name) problems.invalid(`${path}.name`, 'is required');
  return sds.name ?? '';
}

function attempt(path: string, problems: ProblemList, read: () => void): void {
  try {
    read();
  } catch (error) {
    problems.invalid(path, (error as Error).message);
  }
}

/** Protobuf's MergeFrom: single fields of the second win, lists follow one another. */
function merge(
  fixed: CertificateValidationContextJson | undefined,
  dynamic: CertificateValidationContextJson | undefined,
): CertificateValidationContextJson | undefined {
  if (fixed === undefined || dynamic === undefined) return fixed ?? dynamic;
  return {
    ...fixed,
    ...dynamic,
    verifyCertificateSpki: [...(fixed.verifyCertificateSpki ?? []), ...(dynamic.verifyCertificateSpki ?? [])],
    verifyCertificateHash: [...(fixed.verifyCertificateHash ?? []), ...(dynamic.verifyCertificateHash ?? [])],
    matchTypedSubjectAltNames: [...(fixed.matchTypedSubjectAltNames ?? []), ...(dynamic.matchTypedSubjectAltNames ?? [])],
  };
}

/** Envoy refuses names to check where anybody may vouch for them. */
function namesWithoutCa(validation: CertificateValidationContextJson, ca: TrustedCa | undefined): boolean {
  return (validation.matchTypedSubjectAltNames ?? []).length > 0 && (ca === undefined || ca.ca.length === 0);
}

/** The certificate for a name, and one of each other kind of key that has the name too; always the same list for the same certificate. */
function companions(
  own: readonly OwnCertificate[],
  sni: string,
  groups: Map<OwnCertificate, readonly OwnCertificate[]>,
): readonly OwnCertificate[] {
  const named = sni === '' ? [] : own.filter((one) => hasName(one, sni));
  const first = named[0] ?? own[0]!;
  let group = groups.get(first);
  if (group === undefined) {
    const names = new Set(first.chain[0]?.subjectAltName?.split(', '));
    const alike = own.filter((one) => one === first || one.chain[0]?.subjectAltName?.split(', ').some((name) => names.has(name)));
    const byKind = Map.groupBy(alike, kindOfKey);
    group = [first, ...[...byKind].filter(([kind]) => kind !== kindOfKey(first)).map(([, [one]]) => one!)];
    groups.set(first, group);
  }
  return group;
}

const kindOfKey = ({ chain }: OwnCertificate): string => chain[0]?.publicKey.asymmetricKeyType ?? '';

function hasName({ chain }: OwnCertificate, sni: string): boolean {
  return chain[0]?.checkHost(sni) !== undefined;
}
