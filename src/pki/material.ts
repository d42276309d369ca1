/** Certificates and keys out of whatever they come in: PEM, DER, PKCS#12, a Secret's manifest, a config dump. */
import type { KeyObject } from 'node:crypto';
import { parseDocument } from '../config/yaml/parse-document.ts';
import { splitDocuments } from '../config/yaml/split-documents.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { readKey } from './keys.ts';
import { readPem } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';
import { PkiError } from './pki-error.ts';

/** Certificates that belong together: a chain, leaf first, or a bundle of roots. */
export interface MaterialGroup {
  /** Where inside the source: `Secret default/web tls.crt`, `secret default of the config dump`; empty for a plain file. */
  label: string;
  certificates: readonly Certificate[];
}

export interface Material {
  groups: readonly MaterialGroup[];
  keys: readonly KeyObject[];
  /** What is there and could not be used: `an encrypted private key`. */
  notes: readonly string[];
}

const EMPTY: Material = { groups: [], keys: [], notes: [] };

/** Reads anything that may hold certificates. Throws PkiError `certificate-unreadable`, `key-encrypted` (PKCS#12 without its passphrase). */
export function readMaterial(bytes: Buffer, passphrase?: string): Material {
  if (bytes.length === 0) throw unreadable('it is empty');
  if (bytes[0] === 0x30) return fromDer(bytes, passphrase);
  const text = bytes.toString('utf8');
  const found =
    text.includes('-----BEGIN') && !/^\s*(?:apiVersion|kind|\{|- )/m.test(text.slice(0, text.indexOf('-----BEGIN')))
      ? fromPem(text, '', passphrase)
      : fromDocuments(text, passphrase);
  if (found.groups.length === 0 && found.keys.length === 0 && found.notes.length === 0)
    throw unreadable('there is no certificate in it: PEM, DER, PKCS#12, a Secret or a config dump was expected');
  return found;
}

const unreadable = (why: string): PkiError => new PkiError('certificate-unreadable', why);

function fromDer(der: Buffer, passphrase: string | undefined): Material {
  try {
    return { ...EMPTY, groups: [{ label: '', certificates: [readCertificate(der)] }] };
  } catch (error) {
    const store = readPkcs12(der, passphrase);
    if (store === undefined) throw error;
    return { groups: [{ label: 'PKCS#12', certificates: store.certificates }], keys: [], notes: store.notes };
  }
}

function fromPem(text: string, label: string, passphrase: string | undefined): Material {
  const certificates: Certificate[] = [];
  const keys: KeyObject[] = [];
  const notes: string[] = [];
  for (const block of readPem(text)) {
    if (/CERTIFICATE$/.test(block.label)) certificates.push(readCertificate(block.der));
    else if (block.label === 'CERTIFICATE REQUEST') notes.push('a certificate request');
    else if (block.label.endsWith('PRIVATE KEY')) readOneKey(text, block.label, keys, notes, passphrase);
  }
  return { groups: certificates.length === 0 ? [] : [{ label, certificates }], keys, notes };
}

function readOneKey(text: string, label: string, keys: KeyObject[], notes: string[], passphrase: string | undefined): void {
  const start = text.indexOf(`-----BEGIN ${label}-----`);
  const end = text.indexOf(`-----END ${label}-----`) + label.length + 14;
  try {
    keys.push(readKey(text.slice(start, end), passphrase));
  } catch (error) {
    notes.push(
      error instanceof PkiError && error.code === 'key-encrypted' ? 'an encrypted private key' : 'a private key that cannot be read',
    );
  }
}

function fromDocuments(text: string, passphrase: string | undefined): Material {
  const parts = splitDocuments(text).flatMap(({ start, end }) => {
    const read = parseDocument(text.slice(start, end));
    return read.ok ? objectsOf(read.value) : [];
  });
  const materials = parts.flatMap((object) =>
    object['kind'] === 'Secret' || object['kind'] === 'ConfigMap' ? fromSecret(object, passphrase) : fromDump(object, passphrase),
  );
  return {
    groups: materials.flatMap((m) => m.groups),
    keys: materials.flatMap((m) => m.keys),
    notes: materials.flatMap((m) => m.notes),
  };
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const objectsOf = (value: unknown): Json[] => {
  if (!isObject(value)) return [];
  return Array.isArray(value['items']) ? value['items'].filter(isObject) : [value];
};

/** Kubernetes: `data` is base64, `stringData` and a ConfigMap's `data` are text. */
function fromSecret(object: Json, passphrase: string | undefined): Material[] {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const name = `${object['kind']} ${metadata['namespace'] ? `${metadata['namespace']}/` : ''}${metadata['name'] ?? ''}`;
  const decoded = (encoded: boolean, fields: unknown): [string, string][] =>
    isObject(fields)
      ? Object.entries(fields).flatMap(([key, v]) =>
          typeof v === 'string' ? [[key, encoded ? Buffer.from(v, 'base64').toString('utf8') : v] as [string, string]] : [],
        )
      : [];
  const texts = [...decoded(object['kind'] === 'Secret', object['data']), ...decoded(false, object['stringData'])];
  return texts.filter(([, text]) => text.includes('-----BEGIN')).map(([key, text]) => fromPem(text, `${name} ${key}`, passphrase));
}

/** Envoy's config dump: every secret in it, active or warming, static or dynamic; and `/certs`-like objects with inline PEM anywhere. */
function fromDump(root: Json, passphrase: string | undefined): Material[] {
  const found: Material[] = [];
  const seen = new Set<string>();
  const walk = (value: unknown, name: string, depth: number): void => {
    if (depth > 60) return;
    if (Array.isArray(value)) for (const item of value) walk(item, name, depth + 1);
    if (!isObject(value)) return;
    const own =
      typeof value['name'] === 'string' && isObject(value['secret'] ?? value['tls_certificate'] ?? value['validation_context'])
        ? value['name']
        : name;
    for (const [key, inner] of Object.entries(value)) {
      const text = pemOf(key, inner);
      if (text === undefined) walk(inner, own, depth + 1);
      else if (text.includes('-----BEGIN') && !seen.has(text)) {
        seen.add(text);
        found.push(fromPem(text, own === '' ? '' : `secret ${own}`, passphrase));
      }
    }
  };
  walk(root, '', 0);
  return found;
}

/** `inline_bytes` is base64, `inline_string` is text; both are also written in camelCase. */
function pemOf(key: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (key === 'inline_bytes' || key === 'inlineBytes') return Buffer.from(value, 'base64').toString('utf8');
  return key === 'inline_string' || key === 'inlineString' ? value : undefined;
}
