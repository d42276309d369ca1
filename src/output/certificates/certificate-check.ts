import type { Certificate } from '../../pki/certificate.ts';
import { certificateName, relativeTime } from './certificate-view.ts';

export type CertificateState = 'valid' | 'expiring' | 'expired' | 'not-yet-valid' | 'weak';

/** One certificate by itself, without its chain. `withinMs`: how long it must still be valid. */
export function checkCertificate(source: string, certificate: Certificate, now: Date, withinMs: number) {
  const { notBefore, notAfter, key, signature } = certificate;
  const left = notAfter.getTime() - now.getTime();
  const secondsLeft = Math.floor(left / 1000);
  const name = certificateName(certificate);
  const selfSigned = certificate.subject === certificate.issuer;
  const verdict = (state: CertificateState, message: string) => ({
    source,
    certificate: name,
    notAfter: notAfter.toISOString(),
    secondsLeft,
    state,
    message: `${name} ${message}`,
  });
  if (left < 0) return verdict('expired', `expired ${relativeTime(secondsLeft)}, on ${notAfter.toISOString()}`);
  if (notBefore > now) return verdict('not-yet-valid', `is not valid before ${notBefore.toISOString()}`);
  if (left <= withinMs) return verdict('expiring', `expires ${relativeTime(secondsLeft)}, on ${notAfter.toISOString()}`);
  if (key.weakness) return verdict('weak', `has a weak key (${key.name}): ${key.weakness}`);
  if (signature.weak && !selfSigned) return verdict('weak', `is signed with ${signature.name}, which can be forged`);
  return verdict('valid', `expires ${relativeTime(secondsLeft)}`);
}
