/** RFC 5280 4.2.1.10. */
import type { Certificate } from './certificate.ts';
import type { SubjectAltName } from './names.ts';

/** Whether an issuer's name constraints allow a name. Types that it says nothing of are free. */
export function isPermitted(san: SubjectAltName, issuer: Pick<Certificate, 'permitted' | 'excluded'>): boolean {
  const permitted = issuer.permitted.filter((constraint) => constraint.type === san.type);
  if (permitted.length > 0 && !permitted.some((constraint) => isWithin(san, constraint.value))) return false;
  return !issuer.excluded.some((constraint) => constraint.type === san.type && isWithin(san, constraint.value));
}

function isWithin({ type, value }: SubjectAltName, constraint: string): boolean {
  if (type === 'dns') return isBelow(value.toLowerCase(), constraint.toLowerCase());
  if (type === 'uri') return hostMatches(uriHost(value), constraint.toLowerCase());
  if (type === 'email') return emailMatches(value.toLowerCase(), constraint.toLowerCase());
  // Addresses with masks, and types that are not read: outside of every constraint, so that a permitted list refuses them.
  return false;
}

const isBelow = (name: string, suffix: string): boolean =>
  suffix === '' || name === suffix || name.endsWith(suffix.startsWith('.') ? suffix : `.${suffix}`);

/** A URI's constraint is a host; with a leading dot all hosts below it, and not itself. */
function hostMatches(host: string | undefined, constraint: string): boolean {
  if (host === undefined) return false;
  return constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint;
}

function uriHost(uri: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/?#]*@)?([^:/?#]+)/i.exec(uri)?.[1]?.toLowerCase();
}

function emailMatches(mailbox: string, constraint: string): boolean {
  if (constraint.includes('@')) return mailbox === constraint;
  return hostMatches(mailbox.slice(mailbox.lastIndexOf('@') + 1), constraint);
}
