/** How long offline commands take, whole processes, against a bare `node -e 0`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { figures, median } from './figures.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
const mesh = fileURLToPath(new URL('../examples/shop/mesh', import.meta.url));
const RUNS = 15;

const COMMANDS: readonly [name: string, args: string[]][] = [
  ['node -e 0', ['-e', '0']],
  ['fairlead version', [bin, 'version']],
  ['fairlead --help', [bin, '--help']],
  ['fairlead validate examples/shop/mesh', [bin, 'validate', mesh]],
  ['fairlead proxy-config route -f … --proxy web', [bin, 'proxy-config', 'route', '-f', mesh, '--proxy', 'web']],
];

export async function benchStart(): Promise<void> {
  const times = new Map<string, number[]>(COMMANDS.map(([name]) => [name, []]));
  for (let run = -2; run < RUNS; run++) {
    for (const [name, args] of COMMANDS) {
      const started = performance.now();
      const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
      if (run >= 0) times.get(name)?.push(performance.now() - started);
    }
  }
  const bare = median(times.get('node -e 0') ?? []);
  const fastest = Math.min(...(times.get('node -e 0') ?? []));
  const rows = COMMANDS.map(([name]) => {
    const t = times.get(name) ?? [];
    return [name, median(t).toFixed(0), Math.min(...t).toFixed(0), (median(t) / bare).toFixed(2), (Math.min(...t) / fastest).toFixed(2)];
  });
  console.log(`${RUNS} runs each, in turn, after 2 that are not counted`);
  console.log(figures([['command', 'median ms', 'min ms', 'it/bare node', 'min/min'], ...rows]));
}
