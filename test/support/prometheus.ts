/** The real Prometheus and its promtool for tests: in the path, or from Debian's package, fetched by apt and kept outside the tree. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Prometheus {
  prometheus: string;
  promtool: string;
}

/** Both binaries, or why there are none. In CI there must be some: throws there. */
export function realPrometheus(): Prometheus | { missing: string } {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const inPath = folders.map(binariesIn).find((b) => b !== undefined);
  if (inPath) return inPath;
  const fetched = fetchPrometheus();
  if ('missing' in fetched && process.env['CI']) throw new Error(`CI needs the real Prometheus: ${fetched.missing}`);
  return fetched;
}

function fetchPrometheus(): Prometheus | { missing: string } {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead', 'test', 'prometheus');
  const bin = join(cache, 'usr', 'bin');
  const found = binariesIn(bin);
  if (found) return found;
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-prometheus-'));
  try {
    const failed = run(scratch, 'apt-get', 'download', 'prometheus');
    const [archive] = globSync('*.deb', { cwd: scratch });
    if (failed !== undefined || archive === undefined) return { missing: `apt-get cannot download prometheus: ${failed ?? 'no package'}` };
    mkdirSync(cache, { recursive: true });
    const unpacked = run(scratch, 'dpkg-deb', '-x', archive, cache);
    return binariesIn(bin) ?? { missing: `the package ${archive} could not be unpacked: ${unpacked ?? 'no binaries in it'}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function binariesIn(folder: string): Prometheus | undefined {
  const found = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
  return existsSync(found.prometheus) && existsSync(found.promtool) ? found : undefined;
}

/** undefined when it went well, else the last line that it said. */
function run(cwd: string, command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 240_000 });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit ${status}`);
}
