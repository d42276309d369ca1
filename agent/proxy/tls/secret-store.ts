import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CertificateValidationContextJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { type OwnCertificate, readOwnCertificate, readTrustedCa, type TrustedCa } from './certificate-material.ts';
import { unsupportedCertificate, unsupportedValidation } from './unsupported.ts';

/** One secret, read and usable. The object stays the same as long as the secret does: contexts are made anew when it is another one. */
export interface StoredSecret {
  readonly name: string;
  readonly json: SecretJson;
  readonly certificate: OwnCertificate | undefined;
  readonly validation: { readonly json: CertificateValidationContextJson; readonly trusted: TrustedCa } | undefined;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
  /** Of the secret's content. */
  readonly version: string;
}

/** The secrets of one proxy: what Envoy gets over SDS. */
export interface SecretStore {
  get(name: string): StoredSecret | undefined;
  all(): readonly StoredSecret[];
  /** Takes a whole set. An unreadable one is told as a problem, and the one that had its name before stays. */
  set(secrets: readonly SecretJson[]): Problem[];
}

export function createSecretStore(now: () => number = Date.now): SecretStore {
  let stored = new Map<string, StoredSecret>();
  return {
    get: (name) => stored.get(name),
    all: () => [...stored.values()],
    set(secrets) {
      const problems: Problem[] = [];
      const next = new Map<string, StoredSecret>();
      for (const json of secrets) {
        const name = json.name ?? '';
        const before = stored.get(name);
        const secret = before !== undefined && isDeepStrictEqual(before.json, json) ? before : read(json, now(), problems);
        const kept = secret ?? before;
        if (kept !== undefined) next.set(name, kept);
      }
      stored = next;
      return problems;
    },
  };
}

function read(json: SecretJson, updatedAt: number, problems: Problem[]): StoredSecret | undefined {
  const name = json.name ?? '';
  const refuse = (rule: string, message: string): undefined => {
    problems.push({ severity: 'error', rule, message: `secret ${JSON.stringify(name)}: ${message}`, origin: `secret ${name}` });
    return undefined;
  };
  if (name === '') return refuse('envoy/invalid', 'it has no name');
  const version = createHash('sha256').update(JSON.stringify(json)).digest('hex').slice(0, 16);
  const found = { name, json, updatedAt, version };
  try {
    if (json.tlsCertificate !== undefined) {
      const [unsupported] = unsupportedCertificate(json.tlsCertificate);
      if (unsupported !== undefined) return refuse('unsupported/field', `tlsCertificate.${unsupported}`);
      return { ...found, certificate: readOwnCertificate(json.tlsCertificate), validation: undefined };
    }
    if (json.validationContext !== undefined) {
      const [unsupported] = unsupportedValidation(json.validationContext);
      if (unsupported !== undefined) return refuse('unsupported/field', `validationContext.${unsupported}`);
      const trusted = readTrustedCa(json.validationContext);
      return { ...found, certificate: undefined, validation: { json: json.validationContext, trusted } };
    }
  } catch (error) {
    return refuse('proxy/secret-unreadable', (error as Error).message);
  }
  return refuse('unsupported/field', 'it is neither a tlsCertificate nor a validationContext');
}
