/** The direction of imports: commands -> agent's client and src; agent -> src; inside src, the model and below do no I/O. */
const io = '^(node:)?(fs|fs/promises|net|http|http2|https|tls|dgram|child_process|worker_threads|dns)$';
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'src-knows-neither-agent-nor-commands', severity: 'error', from: { path: '^src/' }, to: { path: '^(agent|commands)/' } },
    { name: 'agent-knows-no-commands', severity: 'error', from: { path: '^agent/' }, to: { path: '^commands/' } },
    {
      name: 'commands-use-the-agent-through-its-doors',
      severity: 'error',
      from: { path: '^commands/' },
      to: { path: '^agent/', pathNot: '^agent/[^/]+[.]ts$' },
    },
    { name: 'the-proxy-knows-no-agent', severity: 'error', from: { path: '^agent/proxy/' }, to: { path: '^agent/(?!proxy/)' } },
    {
      name: 'the-core-does-no-io',
      severity: 'error',
      from: { path: '^src/(mesh|envoy|routing|upstream|jwt|authorization|explain|analysis|lsp/(?!server/))' },
      to: { path: io },
    },
    { name: 'the-core-prints-nothing', severity: 'error', from: { path: '^src/(?!output/|cli/)' }, to: { path: '^src/output/' } },
    {
      name: 'kubernetes-client-in-one-adapter',
      severity: 'error',
      from: { pathNot: '^src/kubernetes/' },
      to: { path: '@kubernetes/client-node' },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '^commands/' }, to: {} },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules|^gen/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts'],
    },
  },
};
