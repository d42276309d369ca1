import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { parseSpan } from '../../src/cli/within.ts';
import { IDENTITY_FILES, writeIdentity } from '../../src/cli/write-identity.ts';
import { FairleadError } from '../../src/errors.ts';
import type { Certificate } from '../../src/pki/certificate.ts';

export interface CertRenewed {
  identity: string;
  /** False: --within says that it is not due. */
  renewed: boolean;
  serial: string;
  notAfter: string;
  files: string[];
}

export default class CertRenew extends BaseCommand {
  static override summary =
    'Renew a certificate that `cert issue` wrote, with a new key: by the CA’s directory, or from a CA that is served.';
  static override description =
    'With --ca the current certificate shows who asks, so it must still be valid. With the CA’s directory at hand an expired one is renewed too. Files are replaced only when all is there.';
  static override examples = [
    '<%= config.bin %> cert renew certs/web --within 8h',
    '<%= config.bin %> cert renew /etc/certs --ca ca.example.com:15012',
  ];
  static override args = { folder: { ...argument('DIR', 'with key.pem, cert-chain.pem and root-cert.pem'), required: true } };
  static override flags = {
    'ca-dir': caDir,
    ca: Flags.string({ helpValue: 'HOST:PORT', description: 'a CA that is served, instead of a directory' }),
    within: Flags.string({ helpValue: 'TIME', description: 'only when it expires that soon' }),
    ttl: Flags.string({ helpValue: 'TIME', description: 'how long the new one lives [default: the policy’s]' }),
    'passphrase-file': passphraseFile,
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<CertRenewed> {
    const { args, flags } = await this.parse(CertRenew);
    const folder = args.folder as string;
    const [lifeMs, withinMs] = [lengthOf('ttl', flags.ttl), lengthOf('within', flags.within)];
    const { leaf, identity, texts } = await readIdentity(folder);
    const dnsNames = leaf.sans.filter(({ type }) => type === 'dns').map(({ value }) => value);
    const { serial } = leaf;
    if (withinMs !== undefined && leaf.notAfter.getTime() - Date.now() > withinMs) {
      const kept: CertRenewed = { identity, renewed: false, serial, notAfter: leaf.notAfter.toISOString(), files: [] };
      return this.print(kept, flags.output, () => `${identity} is valid until ${kept.notAfter}: not renewed`);
    }
    const wish = { identity, dnsNames, replaces: serial };
    const { issued, key } =
      flags.ca === undefined
        ? await locally(flags['ca-dir'] ?? defaultCaDirectory(), wish, lifeMs, await passphraseOf(flags['passphrase-file']))
        : await remotely(flags.ca, wish, lifeMs, texts);
    const files = await writeIdentity(folder, { key, chain: issued.chain, roots: issued.roots });
    const result: CertRenewed = { identity, renewed: true, serial: issued.serial, notAfter: issued.notAfter, files };
    return this.print(result, flags.output, () => `renewed ${identity}, valid until ${issued.notAfter}`);
  }
}

interface Wish {
  identity: string;
  dnsNames: string[];
  replaces: string;
}

type Texts = Record<keyof typeof IDENTITY_FILES, string>;

async function locally(directory: string, wish: Wish, lifeMs: number | undefined, passphrase: string | undefined) {
  const { issueLocally } = await import('../../agent/ca.ts');
  return issueLocally(directory, { ...wish, request: undefined, algorithm: 'ec-p256', lifeMs, passphrase });
}

async function remotely(address: string, wish: Wish, lifeMs: number | undefined, { chain, key, roots }: Texts) {
  const [{ signRemotely }, { generateKey, keyToPem }, { createRequest }] = await Promise.all([
    import('../../agent/ca-client.ts'),
    import('../../src/pki/keys.ts'),
    import('../../src/pki/request.ts'),
  ]);
  const made = await generateKey('ec-p256');
  const ttl = lifeMs === undefined ? {} : { ttlSeconds: Math.floor(lifeMs / 1000) };
  const issued = await signRemotely({ address, roots, credentials: { chain, key } }, { ...wish, ...ttl, csr: createRequest(made, []) });
  return { issued, key: keyToPem(made) };
}

async function readIdentity(folder: string): Promise<{ leaf: Certificate; identity: string; texts: Texts }> {
  const [{ readCertificates }, { PkiError }, { identityOf }, { formatSpiffeId }] = await Promise.all([
    import('../../src/pki/certificate.ts'),
    import('../../src/pki/pki-error.ts'),
    import('../../src/pki/svid.ts'),
    import('../../src/pki/spiffe-id.ts'),
  ]);
  const read = (name: string): Promise<string> =>
    readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${join(folder, name)} cannot be read: ${error.code ?? error.message}`, {
        next: 'Name a folder that `fairlead cert issue` wrote.',
        cause: error,
      });
    });
  const [key, chain, roots] = await Promise.all([read(IDENTITY_FILES.key), read(IDENTITY_FILES.chain), read(IDENTITY_FILES.roots)]);
  try {
    const [leaf] = readCertificates(chain);
    const id = leaf && identityOf(leaf);
    if (leaf && id) return { leaf, identity: formatSpiffeId(id), texts: { key, chain, roots } };
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${join(folder, IDENTITY_FILES.chain)}: ${error.message}`, { cause: error });
  }
  throw new FairleadError(
    'E_CERTIFICATE_UNREADABLE',
    `${join(folder, IDENTITY_FILES.chain)} is for no SPIFFE identity: it was not issued by this CA`,
  );
}

function lengthOf(flag: string, typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  const ms = parseSpan(typed);
  if (ms !== undefined && ms >= 1000) return ms;
  throw new FairleadError('E_USAGE', `--${flag} ${JSON.stringify(typed)} is not a length of time of a second or more`, {
    next: 'Write 24h, 90m or 7d.',
  });
}
