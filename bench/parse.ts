/**
 * How fast a configuration loads, with exact positions and validated, beside parsers that do less. Each runs in a process of its own.
 *
 *   node bench/parse.ts [SERVICES]
 *
 * Makes SERVICES services (5,000), each with a Deployment, a Service, a VirtualService of three routes and a DestinationRule of two subsets.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figures } from './figures.ts';
import { serviceYaml } from './service-yaml.ts';

interface Run {
  milliseconds: number;
  /** Of the whole process, at its largest. */
  mebibytes: number;
  objects: number;
}

const CONTENDERS: Record<string, (file: string) => Promise<number>> = {
  'fairlead: load, validate, positions': async (file) => {
    const { loadConfig } = await import('../src/config/load.ts');
    const { resources, problems } = await loadConfig([file]);
    if (problems.length > 0) throw new Error(problems[0]!.message);
    return resources.length;
  },
  'js-yaml loadAll: values only': async (file) => {
    const { loadAll } = await import('js-yaml');
    return loadAll(readFileSync(file, 'utf8')).length;
  },
  'yaml parseAllDocuments, toJS: values and positions': async (file) => {
    const { LineCounter, parseAllDocuments } = await import('yaml');
    const documents = parseAllDocuments(readFileSync(file, 'utf8'), { lineCounter: new LineCounter() });
    return Array.isArray(documents) ? documents.map((d) => d.toJS() as unknown).length : 0;
  },
};

/** In the child: one contender, timed from its import on; the result goes to the parent as JSON. */
async function runOne(name: string, file: string): Promise<void> {
  const started = performance.now();
  const objects = await CONTENDERS[name]!(file);
  const run: Run = { milliseconds: performance.now() - started, mebibytes: process.resourceUsage().maxRSS / 1024, objects };
  process.stdout.write(JSON.stringify(run));
}

function measure(name: string, file: string): Run {
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--run', name, file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return JSON.parse(stdout) as Run;
}

export async function benchParse(services = 5000): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    const file = join(dir, 'mesh.yaml');
    writeFileSync(file, Array.from({ length: services }, (_, i) => serviceYaml(i)).join(''));
    console.log(`${services} services, ${(statSync(file).size / 1e6).toFixed(1)} MB of YAML`);
    // The best of three: what else the machine does only makes it slower.
    const results = Object.keys(CONTENDERS).map((name) => {
      const runs = [measure(name, file), measure(name, file), measure(name, file)];
      return { name, ...runs.reduce((a, b) => (a.milliseconds < b.milliseconds ? a : b)) };
    });
    const base = results[0]!.milliseconds;
    const rows = results.map(({ name, milliseconds, mebibytes, objects }) => [
      name,
      milliseconds.toFixed(0),
      mebibytes.toFixed(0),
      String(objects),
      (milliseconds / base).toFixed(2),
    ]);
    console.log(figures([['parser', 'ms', 'MiB at most', 'objects', 'ratio'], ...rows]));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [mode, name, file] = process.argv.slice(2);
  if (mode === '--run') await runOne(name!, file!);
  else await benchParse(mode === undefined ? undefined : Number(mode));
}
