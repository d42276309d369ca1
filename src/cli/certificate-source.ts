/** Where commands take certificates from: files, folders, standard input, and servers that show theirs. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { FairleadError } from '../errors.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { MaterialGroup } from '../pki/material.ts';

/** Certificates with the name of what they came from. */
export interface CertificateSource {
  /** A path or `host:port`, with the place inside it. */
  name: string;
  certificates: readonly Certificate[];
}

export interface ReadOptions {
  passphrase?: string | undefined;
  /** Server name for TLS; undefined: the host, unless it is an address. */
  sni?: string | undefined;
  timeoutMs: number;
}

const FOLDER_FILE = /\.(?:pem|crt|cer|der|p12|pfx)$/i;
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads what was named: `-`, a file, a folder of certificates, or HOST:PORT. Throws E_CERTIFICATE_UNREADABLE, E_CONNECTION_FAILED. */
export async function readCertificateSource(name: string, options: ReadOptions): Promise<CertificateSource[]> {
  if (name === '-') return readBytes('standard input', await standardInput(), options);
  const info = await stat(name).catch((error: NodeJS.ErrnoException) => error);
  if (!(info instanceof Error)) {
    if (!info.isDirectory()) return readBytes(name, await readOne(name, info.size), options);
    return readFolder(name, options);
  }
  const port = /^(.+):(\d{1,5})$/.exec(name);
  if (info.code === 'ENOENT' && port) return [await readServer(port[1] as string, Number(port[2]), options)];
  throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${name} cannot be read: ${info.code ?? info.message}`, {
    next: 'Name a file, a folder, `-` for standard input, or HOST:PORT.',
  });
}

async function readFolder(folder: string, options: ReadOptions): Promise<CertificateSource[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile() && FOLDER_FILE.test(e.name)).map((e) => join(e.parentPath, e.name));
  const sources: CertificateSource[] = [];
  for (const file of files.sort()) {
    const bytes = await readOne(file, 0);
    // Keys and requests lie beside certificates.
    if (!/-----BEGIN/.test(bytes.toString('latin1')) || /BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(bytes.toString('latin1')))
      sources.push(...(await readBytes(file, bytes, options)));
  }
  if (sources.length > 0) return sources;
  throw new FairleadError('E_CERTIFICATE_UNREADABLE', `there is no certificate in ${folder}`, {
    next: 'Files named .pem, .crt, .cer, .der, .p12 and .pfx are read.',
  });
}

async function readOne(file: string, size: number): Promise<Buffer> {
  if (size > MAX_BYTES) throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${file} is too large for certificates (${size} bytes)`);
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${file} cannot be read: ${error.code ?? error.message}`, { cause: error });
  });
}

async function standardInput(): Promise<Buffer> {
  const { readStream } = await import('../config/sources/read-stream.ts');
  const read = await readStream(process.stdin, MAX_BYTES);
  if (Buffer.isBuffer(read)) return read;
  throw new FairleadError('E_CERTIFICATE_UNREADABLE', `standard input is too large for certificates (over ${MAX_BYTES} bytes)`);
}

async function readBytes(name: string, bytes: Buffer, { passphrase }: ReadOptions): Promise<CertificateSource[]> {
  const [{ readMaterial }, { PkiError }] = await Promise.all([import('../pki/material.ts'), import('../pki/pki-error.ts')]);
  try {
    const { groups, notes } = readMaterial(bytes, passphrase);
    if (groups.length === 0)
      throw new PkiError('certificate-unreadable', `there is ${notes[0] ?? 'a private key'} in it, and no certificate`);
    return groups.map((group: MaterialGroup) => ({
      name: group.label === '' ? name : `${name} (${group.label})`,
      certificates: group.certificates,
    }));
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    const next = error.code === 'key-encrypted' ? 'Give it in the environment variable FAIRLEAD_PASSPHRASE.' : undefined;
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${name}: ${error.message}`, { ...(next ? { next } : {}), cause: error });
  }
}

/** What a server shows in its handshake, whether or not it would let us in. */
async function readServer(host: string, port: number, { sni, timeoutMs }: ReadOptions): Promise<CertificateSource> {
  const [{ connect }, { readCertificate }] = await Promise.all([import('node:tls'), import('../pki/certificate.ts')]);
  const name = `${host}:${port}`;
  const bare = host.replace(/^\[|\]$/g, '');
  const servername = sni ?? (isIP(bare) === 0 ? bare : undefined);
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      socket.destroy();
      reject(
        new FairleadError('E_CONNECTION_FAILED', `no certificate from ${name}: ${why}`, {
          next: 'Is it a TLS port, and is something listening there?',
        }),
      );
    };
    // Showing is not trusting: verification is another command's work.
    const socket = connect({
      host: bare,
      port,
      ...(servername ? { servername } : {}),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1', 'istio'],
    });
    socket.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'ECONNREFUSED' ? 'the connection is refused' : error.message),
    );
    socket.once('secureConnect', () => {
      const certificates: Certificate[] = [];
      const seen = new Set<string>();
      for (let peer = socket.getPeerCertificate(true); peer?.raw && !seen.has(peer.fingerprint256); peer = peer.issuerCertificate) {
        seen.add(peer.fingerprint256);
        certificates.push(readCertificate(peer.raw));
      }
      socket.destroy();
      resolve({ name, certificates });
    });
  });
}
