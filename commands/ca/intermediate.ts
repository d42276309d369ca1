import { readFile, writeFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { defaultCaDirectory } from '../../agent/ca-directory.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { caDir, passphraseFile, passphraseOf } from '../../src/cli/ca-flags.ts';
import * as flags from '../../src/cli/flags.ts';
import { FairleadError } from '../../src/errors.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import type { KeyAlgorithm } from '../../src/pki/keys.ts';

export interface IntermediateResult {
  authority: string;
  stage: string;
  /** PEM, when one was asked for. */
  request?: string;
}

export default class CaIntermediate extends BaseCommand {
  static override summary = 'Use your own root, which stays offline: make the request that it signs, and install its answer.';
  static override description = [
    'Without --install the certificate request is printed, or written to --csr; asked again, it is the same key’s.',
    'With --install the answer is checked and taken: the first one signs at once, a later one is prepared for `ca rotate activate`.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> ca intermediate --csr intermediate.csr --trust-domain prod.example.com',
    '<%= config.bin %> ca intermediate --install intermediate.pem --root root.pem',
  ];
  static override flags = {
    'ca-dir': caDir,
    csr: Flags.string({ helpValue: 'PATH', description: 'where the request goes [default: standard output]', exclusive: ['install'] }),
    install: Flags.string({
      helpValue: 'PATH',
      description: 'the signed certificate, and those between it and the root',
      dependsOn: ['root'],
    }),
    root: Flags.string({ helpValue: 'PATH', description: 'your root’s certificate', dependsOn: ['install'] }),
    'trust-domain': Flags.string({ helpValue: 'NAME', description: 'of a new CA [default: cluster.local]', exclusive: ['install'] }),
    algorithm: flags.oneOf('algorithm', ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'], 'of the new key [default: the CA’s]'),
    'passphrase-file': passphraseFile,
    output: flags.output('text', 'json', 'yaml'),
  };

  async run(): Promise<IntermediateResult> {
    const { flags } = await this.parse(CaIntermediate);
    const directory = flags['ca-dir'] ?? defaultCaDirectory();
    const { installIntermediate, requestIntermediate } = await import('../../agent/ca.ts');
    if (flags.install !== undefined) {
      const [chain, roots] = await Promise.all([readPem(flags.install), readPem(flags.root as string)]);
      const { id, stage } = await installIntermediate(directory, chain, roots);
      const then = stage === 'active' ? 'it signs from now on' : 'let it sign with `fairlead ca rotate activate`';
      return this.print({ authority: id, stage }, flags.output, () => `installed the intermediate ${id}: ${then}`);
    }
    const passphrase = await passphraseOf(flags['passphrase-file']);
    const options = { trustDomain: flags['trust-domain'], algorithm: flags.algorithm as KeyAlgorithm | undefined, passphrase };
    const { id, request } = await requestIntermediate(directory, options);
    if (flags.csr !== undefined) {
      await writeFile(flags.csr, request).catch((error: NodeJS.ErrnoException) => {
        throw new FairleadError('E_FILE_UNWRITABLE', `${flags.csr} cannot be written: ${error.code ?? error.message}`, { cause: error });
      });
    }
    const result: IntermediateResult = { authority: id, stage: 'requested', request };
    return this.print(result, flags.output, () =>
      flags.csr === undefined
        ? request
        : `the request of the intermediate ${id} is in ${flags.csr}: have your root sign it, then --install the answer`,
    );
  }
}

async function readPem(path: string): Promise<Certificate[]> {
  const [{ readCertificates }, { PkiError }] = await Promise.all([
    import('../../src/pki/certificate.ts'),
    import('../../src/pki/pki-error.ts'),
  ]);
  try {
    return readCertificates(await readFile(path, 'utf8'));
  } catch (error) {
    const why = error instanceof PkiError ? error.message : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', `${path} cannot be read: ${why}`, { cause: error });
  }
}
