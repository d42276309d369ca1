/** The CA as a server, for commands. */
export { caIdentity } from './ca/ca-identity.ts';
export { type CaServer, type ServeOptions, serveCa } from './ca/serve.ts';
