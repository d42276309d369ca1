/** Where an agent keeps its certificates, keys and trusted roots: `identity/` in its data directory, 0600. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { makeFolder } from '../make-folder.ts';
import { replaceFile } from '../replace-file.ts';
import { fileOf, type KeptCertificate, keptCertificate } from './kept-certificate.ts';

/** What the holder of a certificate trusts. */
export interface Trust {
  trustDomain: string;
  /** Of the trust bundle. */
  sequence: number;
  /** PEM. */
  roots: string;
  /** The SHA-256 of the roots' file (--ca-roots) when they were taken over; another file since then counts more. */
  from?: string;
}

export interface IdentityStore {
  readonly folder: string;
  /** What can be read; what cannot is left out. */
  certificates(): KeptCertificate[];
  /** Throws E_DATA_DIRECTORY. */
  keep(certificate: KeptCertificate): void;
  forget(certificate: Pick<KeptCertificate, 'identity' | 'dnsNames'>): void;
  trust(): Trust | undefined;
  keepTrust(trust: Trust): void;
  /** The certificate that the agent shows to its CA. */
  node(): KeptCertificate | undefined;
  keepNode(certificate: KeptCertificate): void;
}

const TRUST = 'trust.json';
const ROOTS = 'root-cert.pem';
const NODE = 'node.pem';

export function openIdentityStore(dataDirectory: string): IdentityStore {
  const folder = join(dataDirectory, 'identity');
  const usable = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof FairleadError) throw error;
      throw new FairleadError('E_DATA_DIRECTORY', `certificates cannot be kept in ${folder}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const write = (name: string, text: string): void =>
    usable(() => {
      makeFolder(folder);
      replaceFile(join(folder, name), text);
    });

  return {
    folder,
    certificates: () => names(folder).flatMap((name) => (name.endsWith('.pem') && name !== NODE ? (read(join(folder, name)) ?? []) : [])),
    keep: (certificate) => write(fileOf(certificate.identity, certificate.dnsNames), certificate.key + certificate.chain),
    forget: ({ identity, dnsNames }) => usable(() => rmSync(join(folder, fileOf(identity, dnsNames)), { force: true })),
    trust() {
      try {
        return JSON.parse(readFileSync(join(folder, TRUST), 'utf8')) as Trust;
      } catch {
        return undefined;
      }
    },
    keepTrust(trust) {
      write(TRUST, `${JSON.stringify(trust)}\n`);
      // For people and other programs.
      write(ROOTS, trust.roots);
    },
    node: () => read(join(folder, NODE)),
    keepNode: (certificate) => write(NODE, certificate.key + certificate.chain),
  };
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** undefined for what is damaged or no certificate with its key: a new one is made. */
function read(file: string): KeptCertificate | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.indexOf('-----BEGIN CERTIFICATE-----');
    return end < 1 ? undefined : keptCertificate(text.slice(0, end), text.slice(end));
  } catch {
    return undefined;
  }
}
