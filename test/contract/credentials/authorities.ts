/** The roots of a test file's cases; `mesh` is the one that workloads trust. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate } from '../../../src/pki/certificate.ts';
import { generateKey, publicKeyInfo } from '../../../src/pki/keys.ts';
import type { SubjectAltName } from '../../../src/pki/names.ts';
import { type CertificateTemplate, selfSigner, signCertificate } from '../../../src/pki/sign-certificate.ts';
import { HOUR, type Issued, issue, makeRoot, signerOf } from '../../pki/authority.ts';
import type { CertificateSpec, KeyFiles } from './types.ts';

const roots = new Map<string, Promise<Issued>>();
let folder: string | undefined;
let files = 0;

/** The file that holds a text; gone with the process. */
export function fileOf(text: string, name: string): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'fairlead-contract-keys-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  const file = join(folder, `${files++}-${name}.pem`);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** The root called `name`, the same for the whole process. */
export function rootOf(name: string): Promise<Issued> {
  const known = roots.get(name) ?? makeRoot({ subject: { commonName: `${name} root`, organization: 'Contract' } });
  roots.set(name, known);
  return known;
}

const VALID = {
  now: [-HOUR, HOUR],
  past: [-2 * HOUR, -HOUR],
  future: [HOUR, 2 * HOUR],
} as const;

const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

async function keyOf(kind: NonNullable<CertificateSpec['key']>): Promise<KeyObject> {
  // Too weak for what makes keys in earnest.
  return kind === 'rsa-1024' ? generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey : generateKey(kind);
}

/** Signs what a case asks for. */
export async function makeCertificate(name: string, spec: CertificateSpec): Promise<KeyFiles> {
  const { issuer = 'mesh', uri = [], dns = [], ip = [], valid = 'now', intermediate } = spec;
  const key = await keyOf(spec.key ?? 'ec-p256');
  const [from, to] = VALID[valid];
  const sans: SubjectAltName[] = [
    ...[uri].flat().map((value) => ({ type: 'uri' as const, value })),
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...ip.map((value) => ({ type: 'ip' as const, value })),
  ];
  const template: CertificateTemplate = {
    subject: spec.name === undefined ? {} : { commonName: spec.name },
    sans,
    publicKey: publicKeyInfo(key),
    notBefore: new Date(Date.now() + from),
    notAfter: new Date(Date.now() + to),
    ca: false,
    keyEncipherment: key.asymmetricKeyType === 'rsa',
  };
  const root = issuer === 'self' ? undefined : await rootOf(issuer);
  const middle = root && intermediate ? await issue(root, { subject: { commonName: 'between' }, ca: { pathLength: 0 } }) : undefined;
  const signer = root ? signerOf(middle ?? root) : selfSigner(template, key);
  const leaf = readCertificate(signCertificate(template, signer));
  const chain = leaf.pem + (middle && intermediate === 'sent' ? middle.certificate.pem : '');
  return {
    chain,
    key: keyPem(key),
    chainFile: fileOf(chain, name),
    keyFile: fileOf(keyPem(key), `${name}-key`),
    hash: leaf.fingerprint,
    spki: createHash('sha256').update(template.publicKey).digest('base64'),
  };
}
