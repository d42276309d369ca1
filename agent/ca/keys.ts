/** The private keys of a CA: one file each in `keys/`, 0600, encrypted when there is a passphrase. */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { encryptKey } from '../../src/pki/encrypt-key.ts';
import { keyIdentifier, keyToPem, publicKeyInfo, readKey } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { unusable, writeText } from './directory.ts';

/** What an authority is called: the first 12 hex digits of its key's identifier. */
export const keyName = (key: KeyObject): string => keyIdentifier(publicKeyInfo(key)).toString('hex').slice(0, 12);

/** Writes a key and returns its file's name in `keys/`. It counts once the state names it. Throws E_CA_DIRECTORY. */
export async function writeKey(directory: string, name: string, key: KeyObject, passphrase: string | undefined): Promise<string> {
  const file = `${name}.pem`;
  writeText(join(directory, 'keys'), file, passphrase === undefined ? keyToPem(key) : await encryptKey(key, passphrase));
  return file;
}

/** Reads a key. Throws E_CA_KEY, whose message names the file and never what is in it. */
export function loadKey(directory: string, file: string, passphrase: string | undefined): KeyObject {
  const path = join(directory, 'keys', file);
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(directory, error);
    throw new FairleadError('E_CA_KEY', `the key ${path} is not there`, { next: 'Bring it back from a backup.' });
  }
  try {
    return readKey(pem, isEncrypted(pem) ? passphrase : undefined);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new FairleadError('E_CA_KEY', `${path}: ${error.message}`, {
      next:
        error.code === 'key-encrypted'
          ? 'Give the passphrase with --passphrase-file PATH or in FAIRLEAD_PASSPHRASE.'
          : 'Bring it back from a backup.',
      cause: error,
    });
  }
}

export const isEncrypted = (pem: string): boolean => pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----');
