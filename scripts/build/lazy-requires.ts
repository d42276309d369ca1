/**
 * Bundler plugin: oclif requires its parts when they are first used, not when it is loaded, as Babel's option `lazy` does it for modules that it
 * translates. What a command does not use (globbing, spinners, templates, a search for tsconfig.json) is then never evaluated: 6 ms.
 *
 * It reads the code that TypeScript writes for CommonJS: `const name_1 = require("…");`, every use being `name_1.something`. Code of another form
 * is left as it is.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

const REQUIRE = /^const (\w+_\d+) = ((?:__importDefault\(|__importStar\()?require\("[^"]+"\)\)?);$/gm;

export const lazyRequires: Plugin = {
  name: 'lazy-requires',
  setup(build) {
    build.onLoad({ filter: /node_modules[\\/]@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, async ({ path }) => ({
      // A bundle of its own for a module of a line costs more than the module.
      contents: lazily(await readFile(path, 'utf8')).replaceAll("await import('wsl-utils')", "require('wsl-utils')"),
    }));
    // Whether this is Windows' Linux is only told to plugins, of which there are none; to find it out takes node:child_process and files.
    build.onResolve({ filter: /^wsl-utils$/ }, () => ({ path: 'wsl-utils', namespace: 'no-wsl' }));
    build.onLoad({ filter: /.*/, namespace: 'no-wsl' }, () => ({
      contents: `exports.isWsl = false; exports.powerShellPath = () => 'powershell.exe';`,
    }));
  },
};

function lazily(code: string): string {
  const names: string[] = [];
  const declared = code.replace(REQUIRE, (_, name: string, expression: string) => {
    names.push(name);
    const keep = `Object.defineProperty($lazy, '${name}', { value }); return value;`;
    return `Object.defineProperty($lazy, '${name}', { configurable: true, get() { const value = ${expression}; ${keep} } });`;
  });
  if (names.length === 0) return code;
  const uses = new RegExp(`(?<![\\w.$])(${names.join('|')})(?=\\.)`, 'g');
  return `const $lazy = {};\n${declared.replace(uses, '$lazy.$1')}`;
}
