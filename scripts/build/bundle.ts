/** Bundles the command line, its commands and the embedded proxy into `dist/`. docs/decisions.md says why. */
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { builtinModules } from './builtin-modules.ts';
import { kubernetesClient } from './kubernetes-client.ts';
import { lazyRequires } from './lazy-requires.ts';
import { licences } from './licences.ts';
import { mergeSmallChunks } from './merge-chunks.ts';
import { undiciClient } from './undici-client.ts';

/** Stay packages of their own: used by few commands, large, and fixed by their makers when something is found in them. */
const EXTERNAL = ['@grpc/grpc-js', 're2js', 'yaml'];

/** oclif looks for it in work trees of plugins, and does without. */
const ABSENT = ['typescript'];

/** Files that are found by name at run time; everything else is in chunks. */
const ENTRIES = ['src/cli/main.ts', 'src/cli/help.ts', 'agent/proxy/main.ts', 'agent/envoy/orphan-main.ts'];

/** Builds into memory first: a failed build leaves `dist/` as it was. Throws when there are errors, which esbuild has printed. */
export async function bundle(root: string): Promise<void> {
  const dist = join(root, 'dist');
  const result = await build({
    absWorkingDir: root,
    entryPoints: [...globSync('commands/**/*.ts', { cwd: root }).sort(), ...ENTRIES],
    outdir: dist,
    outbase: root,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: [...EXTERNAL, ...ABSENT],
    // undici asks for the last one to leave its second, experimental HTTP parser out.
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename', esbuildDetection: 'true' },
    plugins: [builtinModules, lazyRequires, undiciClient, kubernetesClient],
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  refuseDynamicCommonJs(result.metafile);
  const files = await mergeSmallChunks(root, result.outputFiles, result.metafile);
  files.set(join(dist, 'LICENCES.txt'), licences(bundled(result.metafile), root));
  for (const [path, contents] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  for (const name of globSync('**/*', { cwd: dist, exclude: [] })) {
    const path = join(dist, name);
    if (!files.has(path) && ![...files.keys()].some((file) => !relative(path, file).startsWith('..'))) rmSync(path, { recursive: true });
  }
}

/** The files of which something is in the output. */
function bundled({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs).filter((file) => (inputs[file]?.bytesInOutput ?? 0) > 0));
}

/** `await import()` of a CommonJS package has its exports under `default` alone once it is in a chunk: a name would be undefined at run time. */
function refuseDynamicCommonJs({ inputs }: Metafile): void {
  for (const [file, { imports }] of Object.entries(inputs)) {
    const wrong = imports.find(({ kind, path, external }) => kind === 'dynamic-import' && !external && inputs[path]?.format === 'cjs');
    if (wrong)
      throw new Error(
        `${file} imports ${wrong.path} with import(), but that is CommonJS: import it statically, in a module that is loaded late`,
      );
  }
}
