/**
 * Bundler plugin: what undici's HTTP/1.1 client can never reach in the embedded proxy is left out. It requires its HTTP/2 client, and
 * with it node:http2 and TLS (7 MB of every proxy), before it knows whether one is asked for; ours is told `allowH2: false` and is given
 * sockets that are connected, and bodies that are streams.
 */
import type { Plugin } from 'esbuild';

const UNREACHABLE = /(?:^|\/)(?:client-h2|web\/fetch\/body|web\/fetch\/formdata|web\/webidl)(?:\.js|\/index\.js)?$/;

export const undiciClient: Plugin = {
  name: 'undici-client',
  setup(build) {
    build.onResolve({ filter: UNREACHABLE }, ({ path, importer }) =>
      /node_modules[\\/]undici[\\/]/.test(importer) ? { path, namespace: 'left-out' } : undefined,
    );
    // To call it would be a mistake of ours: it must say so, not do half of something.
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error(${JSON.stringify(`${path} of undici is not in this bundle`)}); };`,
    }));
  },
};
