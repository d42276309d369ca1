/**
 * How long `fairlead analyze` takes as a whole process, and how large it gets, on generated meshes.
 *
 *   node bench/analyze.ts [SERVICES …]
 *
 * Each service has a Deployment, a Service, a VirtualService of three routes and a DestinationRule of two subsets.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figures, median } from './figures.ts';
import { serviceYaml } from './service-yaml.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));

/** One that has nothing to find: the second version is deployed too, and every destination says its port. */
export function healthyYaml(i: number): string {
  const [deployment = '', ...others] = serviceYaml(i).split(/^(?=---\n)/m);
  const second = deployment.replaceAll('version: v1', 'version: v2').replace(/name: svc-(\d+)\n/, 'name: svc-$1-v2\n');
  const routed = others
    .join('')
    .replace('perTryTimeout: 2s', 'perTryTimeout: 1s')
    .replaceAll(/^( +)(subset: v[12]\n)(?! +port:)/gm, '$1$2$1port: { number: 80 }\n');
  return deployment + second + routed;
}

interface Run {
  seconds: number;
  mebibytes: number;
  findings: number;
}

/** Loaded before the command line: tells the largest size of the process when that ends. */
const TELL = `data:text/javascript,${encodeURIComponent("process.on('exit', () => process.stderr.write('RSS ' + process.resourceUsage().maxRSS))")}`;

function measure(file: string): Run {
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', TELL, bin, 'analyze', file, '-o', 'json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0 && status !== 1) throw new Error(stderr);
  return { seconds, mebibytes: Number(/RSS (\d+)/.exec(stderr)?.[1]) / 1024, findings: (JSON.parse(stdout) as unknown[]).length };
}

export async function benchAnalyze(sizes: readonly number[] = [100, 1000, 5000]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    const rows: string[][] = [['mesh', 'services', 'MB of YAML', 'seconds', 'MiB at most', 'findings']];
    for (const [name, make] of [
      ['healthy', healthyYaml],
      ['two findings a rule', serviceYaml],
    ] as const) {
      for (const services of sizes) {
        const file = join(dir, `${services}.yaml`);
        writeFileSync(file, Array.from({ length: services }, (_, i) => make(i)).join(''));
        const runs = [measure(file), measure(file), measure(file)];
        rows.push([
          name,
          String(services),
          (statSync(file).size / 1e6).toFixed(1),
          median(runs.map((run) => run.seconds)).toFixed(2),
          median(runs.map((run) => run.mebibytes)).toFixed(0),
          String(runs[0]!.findings),
        ]);
      }
    }
    console.log(figures(rows));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const sizes = process.argv.slice(2).map(Number);
  await benchAnalyze(sizes.length > 0 ? sizes : undefined);
}
