/** Helm, to see what the chart comes to: HELM_PATH, in the path, or built by Go from its module into a cache outside the tree. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '3.22.0';
const BUILD_MS = 30 * 60_000;

/** The binary, or why there is none. `build`: make it where it is missing, in CI alone, since that takes minutes. In CI there must be one: throws there. */
export function helm(options: { build: boolean } = { build: false }): string | { missing: string } {
  const found = find(options.build);
  if (typeof found !== 'string' && process.env['CI']) throw new Error(`CI needs Helm: ${found.missing}`);
  return found;
}

function find(build: boolean): string | { missing: string } {
  if (process.env['HELM_PATH']) return process.env['HELM_PATH'];
  if (spawnSync('helm', ['version']).status === 0) return 'helm';
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead', 'test', `helm-${VERSION}`);
  const binary = join(folder, 'helm');
  if (existsSync(binary)) return binary;
  const command = ['install', '-trimpath', '-ldflags', '-s -w', `helm.sh/helm/v3/cmd/helm@v${VERSION}`];
  if (!build || !process.env['CI'])
    return { missing: `it is not there; GOBIN=${folder} go ${command.slice(0, 1)} ${command.at(-1)} makes it` };
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
  const { status, stderr, error } = spawnSync('nice', ['go', ...command], { cwd: folder, env, encoding: 'utf8', timeout: BUILD_MS });
  return status === 0 ? binary : { missing: `go install failed: ${error?.message ?? stderr.trim().split('\n').at(-1)}` };
}
