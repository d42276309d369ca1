/**
 * How long `fairlead test` takes on a large mesh, start-up included, as a user waits for it: with a few tests, and with 10,000 requests.
 *
 *   node bench/test.ts [SERVICES] [ROUTES-A-SERVICE]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figures, median } from './figures.ts';
import { serviceYaml } from './routed-service.ts';

const rounds = 5;
const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));

/** Milliseconds of one whole process. */
function timed(args: readonly string[]): number {
  const started = performance.now();
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (ran.status !== 0) throw new Error(`${args.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  return performance.now() - started;
}

/** A test of each service's first route and its split, with so many paths. */
function testsOf(services: number, paths: number): string {
  const list = Array.from({ length: paths }, (_, p) => `/v0/items/${p}`).join(', ');
  const tests = Array.from(
    { length: services },
    (_, i) => `- name: service-${i}
  hosts: service-${i}:8080
  paths: [${list}]
  headers: { x-user: user-0 }
  expect:
    route: route-0
    split: [{ host: service-${i}, subset: v1, weight: 90 }, { host: service-${i}, subset: v2, weight: 10 }]
    timeout: 5s
`,
  );
  return `tests:\n${tests.join('')}`;
}

/** @param services how many; @param routes of each */
export async function benchTest(services = 1000, routes = 3): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    const mesh = join(folder, 'mesh.yaml');
    writeFileSync(mesh, Array.from({ length: services }, (_, i) => serviceYaml(i, routes)).join(''));
    const few = join(folder, 'few.mesh-test.yaml');
    writeFileSync(few, testsOf(Math.min(services, 20), 5));
    const many = join(folder, 'many.mesh-test.yaml');
    const paths = Math.ceil(10_000 / services);
    writeFileSync(many, testsOf(services, paths));
    const times = { bare: [] as number[], few: [] as number[], many: [] as number[], coverage: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.bare.push(timed(['-e', '0']));
      times.few.push(timed([bin, 'test', few, '-f', mesh]));
      times.many.push(timed([bin, 'test', many, '-f', mesh]));
      times.coverage.push(timed([bin, 'test', many, '-f', mesh, '--coverage', '-o', 'json']));
    }
    const base = median(times.bare);
    const row = (name: string, values: readonly number[]): string[] => [
      name,
      `${median(values).toFixed(0)} ms`,
      `${(median(values) / base).toFixed(1)} x`,
    ];
    console.log(`${services} services, ${services * routes} routes, ${services * 2} workloads`);
    console.log(
      figures([
        ['', `median of ${rounds}`, 'of node -e 0'],
        row('node -e 0', times.bare),
        row(`test, ${Math.min(services, 20) * 5} requests`, times.few),
        row(`test, ${services * paths} requests`, times.many),
        row('the same with coverage', times.coverage),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await benchTest(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 3));
