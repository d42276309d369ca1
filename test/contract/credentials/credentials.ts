/** All that a case's texts may name of certificates, keys and tokens. */
import type { ConnectionOptions } from 'node:tls';
import type { ContractCase, StepTls } from '../case.ts';
import { fileOf, makeCertificate, rootOf } from './authorities.ts';
import { keySet, makeToken } from './tokens.ts';
import type { KeyFiles } from './types.ts';

const FORM = /\$(cert|key|root|pem|hash|spki|jwt|jwks)\(([\w.,-]+)\)/g;

export interface Credentials {
  /**
   * Fills in `$cert(NAME)` and `$key(NAME)` (files), `$root(ISSUER)` (file), `$pem(NAME.crt)`, `$pem(NAME.key)` and `$pem(ISSUER.ca)` (texts
   * as YAML in double quotes), `$hash(NAME)`, `$spki(NAME)`, `$jwt(NAME)` and `$jwks(KEY,…)`.
   */
  fill(text: string): string;
  /** What a client's TLS needs. */
  clientTls(tls: StepTls): ConnectionOptions;
  certificate(name: string): KeyFiles;
  /** PEM. */
  root(issuer: string): string;
}

const made = new Map<string, Promise<Credentials>>();

/** Made once for all that run a case. */
export function credentialsOf(contractCase: ContractCase): Promise<Credentials> {
  const known = made.get(contractCase.file) ?? make(contractCase);
  made.set(contractCase.file, known);
  return known;
}

async function make({ certificates, keys, tokens, mesh, steps, backends }: ContractCase): Promise<Credentials> {
  const pairs = new Map<string, KeyFiles>();
  for (const [name, spec] of Object.entries(certificates)) pairs.set(name, await makeCertificate(name, spec));
  const issuers = new Set(['mesh', ...Object.values(certificates).map((c) => c.issuer ?? 'mesh')]);
  for (const [, , names = ''] of (mesh + JSON.stringify([steps, backends])).matchAll(/\$(root|pem)\(([\w-]+)(?:\.ca)?\)/g))
    issuers.add(names);
  const roots = new Map<string, { pem: string; file: string }>();
  for (const name of issuers) {
    if (name === 'self') continue;
    const { pem } = (await rootOf(name)).certificate;
    roots.set(name, { pem, file: fileOf(pem, `${name}-root`) });
  }
  const signed = new Map<string, string>();
  for (const [name, spec] of Object.entries(tokens)) {
    const alg = keys[spec.key];
    if (alg === undefined) throw new Error(`token ${name}: no key ${spec.key}`);
    signed.set(name, makeToken(spec, alg, Date.now()));
  }

  const certificate = (name: string): KeyFiles => {
    const found = pairs.get(name);
    if (found === undefined) throw new Error(`no certificate ${name}`);
    return found;
  };
  const root = (name: string): { pem: string; file: string } => {
    const found = roots.get(name);
    if (found === undefined) throw new Error(`no issuer ${name}`);
    return found;
  };
  const pem = (what: string): string => {
    const [name = '', part] = what.split('.');
    return JSON.stringify(part === 'ca' ? root(name).pem : part === 'crt' ? certificate(name).chain : certificate(name).key);
  };
  const token = (name: string): string => {
    const found = signed.get(name);
    if (found === undefined) throw new Error(`no token ${name}`);
    return found;
  };
  const forms: Readonly<Record<string, (name: string) => string>> = {
    cert: (name) => certificate(name).chainFile,
    key: (name) => certificate(name).keyFile,
    hash: (name) => certificate(name).hash,
    spki: (name) => certificate(name).spki,
    root: (name) => root(name).file,
    jwks: (names) => keySet(names.split(','), keys),
    jwt: token,
    pem,
  };
  return {
    fill: (text) => text.replace(FORM, (_all, form: string, name: string) => forms[form]!(name)),
    certificate,
    root: (name) => root(name).pem,
    clientTls({ certificate: name, trust, alpn, minVersion, maxVersion, ciphers }) {
      return {
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...(name !== undefined && { cert: certificate(name).chain, key: certificate(name).key }),
        ...(trust !== undefined && { ca: root(trust).pem }),
        ...(alpn && { ALPNProtocols: [...alpn] }),
        ...(minVersion && { minVersion }),
        ...(maxVersion && { maxVersion }),
        // Level 0: what is too weak must be refused by the other side.
        ciphers: `${ciphers ?? 'DEFAULT'}:@SECLEVEL=0`,
      };
    },
  };
}
