/** PKCS#12 stores: RFC 7292, read by node-forge. */
import forge from 'node-forge';
import { fromDer, toDer } from './asn1.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { PkiError } from './pki-error.ts';

export interface Pkcs12 {
  certificates: Certificate[];
  /** Keys are only counted: node-forge reads no EC keys. */
  notes: string[];
}

/** undefined when it is no such store. Throws PkiError `key-encrypted` when the passphrase is missing or wrong. */
export function readPkcs12(der: Buffer, passphrase: string | undefined): Pkcs12 | undefined {
  let store: forge.pkcs12.Pkcs12Pfx;
  try {
    store = forge.pkcs12.pkcs12FromAsn1(fromDer(der), false, passphrase ?? '');
  } catch (error) {
    const { message } = error as Error;
    if (!/mac|password|decrypt/i.test(message)) return undefined;
    const what = passphrase === undefined ? 'the store has a passphrase, and none was given' : 'the passphrase does not open the store';
    throw new PkiError('key-encrypted', what);
  }
  const bags = store.safeContents.flatMap((content) => content.safeBags);
  const { certBag, pkcs8ShroudedKeyBag, keyBag } = forge.pki.oids;
  const certificates = bags.filter((bag) => bag.type === certBag).map((bag) => readCertificate(certificateDer(bag)));
  const keys = bags.filter((bag) => bag.type === pkcs8ShroudedKeyBag || bag.type === keyBag).length;
  return { certificates, notes: keys === 0 ? [] : [keys === 1 ? 'a private key' : `${keys} private keys`] };
}

/** node-forge leaves certificates with EC keys as ASN.1. */
function certificateDer(bag: forge.pkcs12.Bag): Buffer {
  return toDer(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1);
}
