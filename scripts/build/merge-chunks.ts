/** Puts the small chunks that splitting leaves into one: finding, reading and linking a file costs more than most of them hold. */
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { build, type Metafile, type OutputFile, type Plugin } from 'esbuild';

/** Larger ones are worth a file of their own: not every command needs them. Bytes. */
const SMALL = 6000;
const NAME = 'shared.js';
/** Built-in modules that take milliseconds to load. What needs one of them at once is not for every command. */
const SLOW = ['child_process', 'crypto', 'dns', 'http', 'http2', 'https', 'readline/promises', 'tls', 'worker_threads', 'zlib'];

/**
 * The files of `dist/` after merging, by path. Only chunks that need none but each other and Node are merged, so that no circles come about
 * and no package, or slow module of Node, is loaded for commands that do without.
 * Throws when a file still asks for a chunk that is gone.
 */
export async function mergeSmallChunks(
  root: string,
  files: readonly OutputFile[],
  metafile: Metafile,
): Promise<Map<string, Uint8Array | string>> {
  const small = smallChunks(metafile);
  const kept = new Map<string, Uint8Array | string>();
  const texts = new Map<string, string>();
  for (const { path, contents, text } of files) {
    const name = relative(root, path).split(sep).join('/');
    if (small.has(name.replace(/\.map$/, ''))) texts.set(name, text);
    else kept.set(path, name.endsWith('.js') ? redirected(name, text, small) : contents);
  }
  for (const file of await bundleOf(root, small, texts, metafile)) kept.set(file.path, file.contents);
  return kept;
}

/** Names relative to the root, each with its number. */
function smallChunks({ outputs }: Metafile): ReadonlyMap<string, number> {
  const names = Object.keys(outputs).filter((name) => {
    const { bytes, entryPoint, exports, inputs } = outputs[name]!;
    if (SLOW.some((module) => inputs[`builtin-esm:${module}`])) return false;
    return /\/chunks\/[^/]+\.js$/.test(name) && entryPoint === undefined && bytes <= SMALL && exports.length > 0;
  });
  let left = new Set(names);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    const closed = (name: string): boolean =>
      outputs[name]!.imports.every(
        ({ kind, external, path }) => kind !== 'import-statement' || (external ? isBuiltin(path) : left.has(path)),
      );
    left = new Set([...left].filter(closed));
  }
  return new Map([...left].sort().map((name, number) => [name, number]));
}

const alias = (number: number, name: string): string => `_${number}_${name}`;

/** Import statements as esbuild writes them, with their lines: source maps go on being right. */
const IMPORT = /^import (?:(\{[^}]*\}) from )?"(\.[^"]*)";$/gm;

function redirected(file: string, text: string, small: ReadonlyMap<string, number>): string {
  const changed = text.replace(IMPORT, (statement, names: string | undefined, path: string) => {
    const chunk = posix.join(posix.dirname(file), path);
    const number = small.get(chunk);
    if (number === undefined) return statement;
    const renamed = names?.replace(/([\w$]+)(?: as ([\w$]+))?/g, (_, name: string, local = name) => `${alias(number, name)} as ${local}`);
    return `import ${renamed === undefined ? '' : `${renamed} from `}"${path.slice(0, path.lastIndexOf('/') + 1)}${NAME}";`;
  });
  for (const chunk of small.keys()) {
    if (changed.includes(`/${posix.basename(chunk)}"`)) throw new Error(`${file} asks for ${chunk} in a way that merging does not know`);
  }
  return changed;
}

async function bundleOf(
  root: string,
  small: ReadonlyMap<string, number>,
  texts: ReadonlyMap<string, string>,
  { outputs }: Metafile,
): Promise<OutputFile[]> {
  const folder = join(root, 'dist/chunks');
  const inMemory: Plugin = {
    name: 'chunks-in-memory',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path }) => {
        const name = posix.join('dist/chunks', path);
        return small.has(name) ? { path: join(root, name), pluginData: name } : { path, external: true };
      });
      // esbuild looks for packages beside the file that asks, and `dist/` need not be there yet.
      onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /./ }, ({ pluginData: name }: { pluginData?: string }) => {
        if (name === undefined) return undefined;
        const map = Buffer.from(texts.get(`${name}.map`)!).toString('base64');
        const contents = texts.get(name)!.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
        return { contents: `${contents}//# sourceMappingURL=data:application/json;base64,${map}\n`, loader: 'js' };
      });
    },
  };
  const lines = [...small].map(([name, number]) => {
    const names = outputs[name]!.exports.map((exported) => `${exported} as ${alias(number, exported)}`);
    return `export { ${names.join(', ')} } from "./${posix.basename(name)}";`;
  });
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: lines.join('\n'), resolveDir: folder, loader: 'js' },
    outfile: join(folder, NAME),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    plugins: [inMemory],
    sourcemap: true,
    sourcesContent: false,
    write: false,
    logLevel: 'warning',
  });
  return outputFiles;
}
