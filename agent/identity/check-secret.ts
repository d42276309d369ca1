/** Whether a proxy can use it. What is wrong is told without what is in it. */
import { readCertificates } from '../../src/pki/certificate.ts';
import { publicKeyInfo, readKey } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';

/** Why a chain and its key (PEM) are of no use; undefined when they go together. */
export function certificateFault(chain: string, key: string): string | undefined {
  return faultOf(() => {
    const [leaf] = readCertificates(chain);
    return leaf && publicKeyInfo(readKey(key)).equals(publicKeyInfo(leaf.publicKey)) ? undefined : 'the key is not that of the certificate';
  });
}

export function rootsFault(pem: string): string | undefined {
  return faultOf(() => void readCertificates(pem));
}

function faultOf(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof PkiError) return error.message;
    throw error;
  }
}
