/**
 * Bundler plugin: takes Node's own modules from `process.getBuiltinModule`.
 *
 * An ES module that imports a built-in one makes Node build a facade that reads each of its exports, lazy ones too, so that `node:util` or
 * `node:fs` load dozens of internal modules that nobody uses: 3 to 5 ms for a command.
 */
import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

export const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup(build) {
    build.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) => {
      if (!isBuiltin(path) || kind === 'dynamic-import') return undefined;
      return { path: path.replace(/^node:/, ''), namespace: kind === 'require-call' ? 'builtin-cjs' : 'builtin-esm', sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin-cjs' }, ({ path }) => ({ contents: `module.exports = ${builtin(path)};` }));
    build.onLoad({ filter: /.*/, namespace: 'builtin-esm' }, ({ path }) => ({ contents: namedExports(path) }));
  },
};

function builtin(path: string): string {
  return `process.getBuiltinModule(${JSON.stringify(`node:${path}`)})`;
}

/** Every export is pure, so that the bundler drops those that nobody imports. */
function namedExports(path: string): string {
  const names = Object.keys(process.getBuiltinModule(`node:${path}`) as object).filter(
    (name) => IDENTIFIER.test(name) && name !== 'default',
  );
  return [
    `const all = /* @__PURE__ */ ${builtin(path)};`,
    'export default all;',
    ...names.map((name, i) => `const _${i} = /* @__PURE__ */ (() => all.${name})(); export { _${i} as ${name} };`),
  ].join('\n');
}
