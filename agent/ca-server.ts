/** The CA as a server, for commands. */
export { type CaServer, caIdentity, type ServeOptions, serveCa } from './ca/serve.ts';
