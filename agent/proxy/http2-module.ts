/**
 * `node:http2`, loaded when the first connection speaks it: with TLS, which it brings along, it takes 7 MB, and most meshes on a laptop
 * speak HTTP/1.1.
 */
export function http2(): typeof import('node:http2') {
  return process.getBuiltinModule('node:http2');
}
