/**
 * Bundler plugin: the Kubernetes client reads kubeconfigs and gives credentials; requests are Node's own. undici, which it would send them
 * with (1.2 MB), is left out.
 */
import type { Plugin } from 'esbuild';

export const kubernetesClient: Plugin = {
  name: 'kubernetes-client',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, ({ importer }) =>
      /node_modules[\\/]@kubernetes[\\/]client-node[\\/]/.test(importer)
        ? { path: 'undici', namespace: 'no-undici', sideEffects: false }
        : undefined,
    );
    // To use it would be a mistake of ours: it must say so.
    build.onLoad({ filter: /.*/, namespace: 'no-undici' }, () => ({
      contents: ['Agent', 'ProxyAgent', 'fetch', 'Headers', 'Request', 'Response', 'FormData']
        .map((name) => `export class ${name} { constructor() { throw new Error('undici is not in this bundle'); } }`)
        .join('\n'),
    }));
  },
};
