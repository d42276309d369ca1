/** Flags of the commands about the CA, and what they stand for. */
import { readFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';

export const caDir = Flags.string({
  helpValue: 'DIR',
  description: 'directory of the CA [default: fairlead/ca in the user’s data directory]',
  env: 'FAIRLEAD_CA_DIR',
});

export const passphraseFile = Flags.string({
  helpValue: 'PATH',
  description: 'file with the passphrase of the CA’s keys (FAIRLEAD_PASSPHRASE holds it otherwise)',
});

export const stateSecret = Flags.string({
  helpValue: '[NAMESPACE/]NAME',
  description:
    'keep the CA’s keys and state in this Secret of the cluster, which is there already, so that several pods are one CA; the directory is a copy of it',
});

export const trustDomain = Flags.string({ helpValue: 'NAME', description: 'trust domain of the mesh', default: 'cluster.local' });

/** The passphrase from the file that was named, else from the environment; undefined for none. Throws E_CA_KEY. */
export async function passphraseOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env['FAIRLEAD_PASSPHRASE'] || undefined;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new FairleadError('E_CA_KEY', `the passphrase cannot be read from ${file}: ${error.code ?? error.message}`, { cause: error });
  });
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase !== '') return passphrase;
  throw new FairleadError('E_CA_KEY', `the passphrase’s file ${file} is empty`);
}
