import { readFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { argument } from '../../src/cli/argument.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { parseSpan } from '../../src/cli/within.ts';
import { existingIdentityFiles, writeIdentity } from '../../src/cli/write-identity.ts';
import { FairleadError } from '../../src/errors.ts';
import type { KeyAlgorithm } from '../../src/pki/keys.ts';

export interface CertIssued {
  identity: string;
  serial: string;
  notAfter: string;
  authority: string;
  /** Written ones; empty when the chain went to standard output. */
  files: string[];
}

export default class CertIssue extends BaseCommand {
  static override summary = 'Issue a certificate for a workload’s identity, with the CA’s directory at hand.';
  static override description = [
    'Writes key.pem, cert-chain.pem and root-cert.pem. With --csr the key stays where it is: only the certificates are written.',
    'A life longer than the policy’s cap is cut to the cap. Everything issued is in the CA’s audit log.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> cert issue default/web --out certs/web',
    '<%= config.bin %> cert issue spiffe://cluster.local/ns/shop/sa/cart --csr cart.csr --out -',
  ];
  static override args = { identity: { ...argument('IDENTITY', 'a SPIFFE ID, or NAMESPACE/SERVICE-ACCOUNT'), required: true } };
  static override flags = {
    'ca-dir': caDir,
    out: Flags.string({ helpValue: 'DIR', description: 'where the files go; - prints the chain of a --csr', required: true }),
    csr: Flags.string({
      helpValue: 'PATH',
      description: 'a certificate request in PEM; its signature is checked, its names are not taken',
    }),
    ttl: Flags.string({ helpValue: 'TIME', description: 'how long it lives [default: the policy’s, 24h]' }),
    dns: Flags.string({
      helpValue: 'NAME',
      description: 'a host name in it as well; may be given again',
      multiple: true,
      multipleNonGreedy: true,
    }),
    algorithm: flags.oneOf('algorithm', ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'], 'of the new key [default: ec-p256]'),
    force: Flags.boolean({ description: 'replace files that are there' }),
    'passphrase-file': passphraseFile,
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<CertIssued> {
    const { args, flags } = await this.parse(CertIssue);
    const toStandardOutput = flags.out === '-';
    if (toStandardOutput && (flags.csr === undefined || this.jsonEnabled() || flags.output))
      throw new FairleadError('E_USAGE', '--out - prints a chain: it goes with --csr, and without --json and --output', {
        next: 'Name a folder with --out DIR.',
      });
    const there = toStandardOutput ? [] : existingIdentityFiles(flags.out).filter((f) => flags.csr === undefined || !f.endsWith('key.pem'));
    if (there.length > 0 && !flags.force)
      throw new FairleadError('E_FILE_UNWRITABLE', `${there[0]} is there already`, {
        next: 'Replace it with --force, or renew it with `cert renew`.',
      });
    const lifeMs = flags.ttl === undefined ? undefined : lifeOf(flags.ttl);
    const passphrase = await passphraseOf(flags['passphrase-file']);
    const request = flags.csr === undefined ? undefined : await readRequestFile(flags.csr);
    const { issueLocally } = await import('../../agent/ca.ts');
    const { issued, key } = await issueLocally(flags['ca-dir'] ?? defaultCaDirectory(), {
      identity: args.identity as string,
      request,
      algorithm: (flags.algorithm ?? 'ec-p256') as KeyAlgorithm,
      dnsNames: flags.dns ?? [],
      lifeMs,
      passphrase,
    });
    const { identity, serial, notAfter, authority, chain, roots } = issued;
    if (toStandardOutput) this.write(chain);
    const files = toStandardOutput ? [] : await writeIdentity(flags.out, { key, chain, roots });
    const result: CertIssued = { identity, serial, notAfter, authority, files };
    return toStandardOutput ? result : this.print(result, flags.output, textOf);
  }
}

const textOf = ({ identity, notAfter, files }: CertIssued): string =>
  [`issued ${identity}, valid until ${notAfter}`, ...files.map((file) => `  ${file}`)].join('\n');

function lifeOf(typed: string): number {
  const ms = parseSpan(typed);
  if (ms !== undefined && ms >= 1000) return ms;
  throw new FairleadError('E_USAGE', `--ttl ${JSON.stringify(typed)} is not a length of time of a second or more`, {
    next: 'Write 24h, 90m or 7d.',
  });
}

async function readRequestFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${path} cannot be read: ${error.code ?? error.message}`, { cause: error });
  });
}
