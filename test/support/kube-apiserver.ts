/**
 * A real Kubernetes API server and its etcd for tests. There is no package with the binaries, but Go builds them from their modules: once a
 * machine, in some minutes, into a cache outside the tree. `KUBE_APISERVER_PATH` names a folder with `kube-apiserver` and `etcd` instead.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = join(dirname(fileURLToPath(import.meta.url)), 'kube-apiserver');
/** Go and modules from nothing, on two busy cores. */
const BUILD_MS = 40 * 60_000;

export interface KubeBinaries {
  apiserver: string;
  etcd: string;
}

/** The binaries, or why there are none. In CI there must be some: throws there. `build: false` takes only what is built already. */
export function kubeBinaries(options: { build: boolean } = { build: true }): KubeBinaries | { missing: string } {
  const named = process.env['KUBE_APISERVER_PATH'];
  const found = binariesIn(named ?? cacheFolder());
  if (found) return found;
  const built = named
    ? { missing: `KUBE_APISERVER_PATH names ${named}, where they are not` }
    : options.build
      ? build()
      : { missing: 'they are not built yet: node scripts/test-tools.ts' };
  if ('missing' in built && process.env['CI']) throw new Error(`CI needs a real kube-apiserver: ${built.missing}`);
  return built;
}

function version(): string {
  return /^require k8s\.io\/kubernetes v(\S+)$/m.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))?.[1] as string;
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead', 'test', `kube-apiserver-${version()}`);
}

function binariesIn(folder: string): KubeBinaries | undefined {
  const found = { apiserver: join(folder, 'kube-apiserver'), etcd: join(folder, 'etcd') };
  return existsSync(found.apiserver) && existsSync(found.etcd) ? found : undefined;
}

function build(): KubeBinaries | { missing: string } {
  if (spawnSync('go', ['version']).status !== 0) return { missing: 'there is no Go to build them with' };
  const cache = cacheFolder();
  mkdirSync(dirname(cache), { recursive: true });
  const release = lock(`${cache}.lock`);
  try {
    return binariesIn(cache) ?? compile(cache);
  } finally {
    release();
  }
}

function compile(cache: string): KubeBinaries | { missing: string } {
  const scratch = `${cache}.build`;
  const source = join(scratch, 'source');
  const out = join(scratch, 'bin');
  for (const folder of [source, out]) mkdirSync(folder, { recursive: true });
  // Outside the tree, so that nothing is written into it.
  for (const file of ['go.mod', 'go.sum']) copyFileSync(join(MODULE, file), join(source, file));
  const [major, minor] = version().split('.');
  const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const flags = ['-s', '-w', set('gitVersion', `v${version()}`), set('gitMajor', major as string), set('gitMinor', minor as string)];
  const packages = ['k8s.io/kubernetes/cmd/kube-apiserver', 'go.etcd.io/etcd/server/v3'];
  const { status, stderr, error } = spawnSync(
    'nice',
    ['go', 'build', '-trimpath', '-ldflags', flags.join(' '), '-o', `${out}/`, ...packages],
    {
      cwd: source,
      encoding: 'utf8',
      timeout: BUILD_MS,
      // Go's own cache of this build has gigabytes: it goes when all is done, and stays for another try when it is not.
      env: { ...process.env, GOCACHE: join(scratch, 'cache'), GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
    },
  );
  if (status !== 0) return { missing: `go build failed: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit ${status}`}` };
  renameSync(join(out, 'server'), join(out, 'etcd'));
  renameSync(out, cache);
  rmSync(scratch, { recursive: true, force: true });
  return binariesIn(cache) ?? { missing: `nothing in ${cache}` };
}

/** Waits for whoever builds already: two builds at once take twice as long. A lock of a process that is gone does not count. */
function lock(file: string): () => void {
  for (const deadline = Date.now() + BUILD_MS; ; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250)) {
    try {
      const handle = openSync(file, 'wx');
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || Date.now() > deadline) throw error;
      if (isStale(file)) rmSync(file, { force: true });
    }
  }
}

function isStale(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Made, and not written yet.
    if (pid === 0) return Date.now() - statSync(file).mtimeMs > 5000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
