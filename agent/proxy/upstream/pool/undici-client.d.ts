/** undici's client alone: its entry loads fetch, caches, WebSockets and mocks too, 13 MB that no proxied request needs. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  // biome-ignore lint/style/noDefaultExport: undici's own shape
  export default Client;
}

declare module 'undici/lib/core/errors.js' {
  import { errors } from 'undici';
  export const SocketError: typeof errors.SocketError;
}
