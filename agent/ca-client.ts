/** Asking a CA that is served elsewhere, for commands. */
export { type RemoteCa, type RemoteWish, signRemotely } from './ca/client.ts';
