/** The certificate authority in a directory, for commands. */
export { bundleOf } from './ca/authorities.ts';
export { hasCa, readState } from './ca/directory.ts';
export { checkInit, initCa } from './ca/init.ts';
export { installIntermediate, requestIntermediate } from './ca/intermediate.ts';
export { type IssuedState, type IssuedView, issuedCertificates } from './ca/issued.ts';
export { issueLocally } from './ca/local-issue.ts';
export { type AuthorityStatus, type CaStatus, type CertificateSpan, caStatus } from './ca/status.ts';
export { createToken } from './ca/tokens.ts';
