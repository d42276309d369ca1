/**
 * How long `fairlead explain` takes on a large mesh, start-up included, as a user waits for it; and how many requests the library
 * explains per second once the mesh is in memory.
 *
 *   node bench/explain.ts [SERVICES] [ROUTES-A-SERVICE]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../src/config/parse-config.ts';
import { buildSnapshot } from '../src/envoy/build.ts';
import { explainRequest } from '../src/explain/explain.ts';
import { viewOfSnapshot } from '../src/explain/view.ts';
import { buildMesh } from '../src/mesh/mesh.ts';
import { findProxy } from '../src/mesh/proxies.ts';
import { figures, median } from './figures.ts';
import { serviceYaml } from './routed-service.ts';

const rounds = 5;
const requests = 10_000;
const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));

/** Milliseconds of one whole process. */
function timed(args: readonly string[]): number {
  const started = performance.now();
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${args.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  return performance.now() - started;
}

/** @param services how many; @param routes of each */
export async function benchExplain(services = 1000, routes = 3): Promise<void> {
  const text = Array.from({ length: services }, (_, i) => serviceYaml(i, routes)).join('');
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    const file = join(folder, 'mesh.yaml');
    writeFileSync(file, text);
    const ask = [bin, 'explain', `http://service-${services - 1}:8080/v0/items`, '-H', 'x-user: user-0', '-f', file];
    const times = { bare: [] as number[], explain: [] as number[], json: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.bare.push(timed(['-e', '0']));
      times.explain.push(timed(ask));
      times.json.push(timed([...ask, '-o', 'json']));
    }
    const { resources } = await parseConfig(text, file);
    const mesh = buildMesh(resources);
    const client = findProxy(mesh, 'client.default');
    if ('candidates' in client) throw new Error('no client');
    const view = viewOfSnapshot(buildSnapshot(mesh, client), file);
    const started = performance.now();
    for (let i = 0; i < requests; i++) {
      explainRequest(view, { method: 'GET', url: `http://service-${i % services}:8080/v${i % 4}/items`, headers: [['x-user', 'user-0']] });
    }
    const took = performance.now() - started;
    const base = median(times.bare);
    const row = (name: string, values: readonly number[]): string[] => [
      name,
      `${median(values).toFixed(0)} ms`,
      `${(median(values) / base).toFixed(1)} x`,
    ];
    console.log(
      `${services} services, ${services * routes} routes, ${services * 2} workloads, one file of ${(text.length / 1e6).toFixed(1)} MB`,
    );
    console.log(
      figures([
        ['', `median of ${rounds}`, 'of node -e 0'],
        row('node -e 0', times.bare),
        row('explain, as text', times.explain),
        row('explain -o json', times.json),
        [`${requests} requests in one process`, `${took.toFixed(0)} ms`, `${((requests / took) * 1000).toFixed(0)}/s`],
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await benchExplain(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 3));
