import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';

/**
 * The folder of a Go module's files, fetched when it is not in Go's own cache, or why there is none. In CI there must be one: throws there.
 * What is fetched must have `sum`, as go.sum has it.
 */
export function goModule(module: string, sum: string): string | { missing: string } {
  const found = find(module, sum);
  if (typeof found !== 'string' && process.env['CI']) throw new Error(`CI needs ${module}: ${found.missing}`);
  return found;
}

function find(module: string, sum: string): string | { missing: string } {
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '' };
  const { status, stdout, stderr, error } = spawnSync('go', ['mod', 'download', '-json', module], {
    cwd: tmpdir(),
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (error) return { missing: 'there is no Go to fetch it with' };
  if (status !== 0) return { missing: `go mod download ${module} failed: ${stderr.trim().split('\n').at(-1)}` };
  const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
  if (Sum !== sum) throw new Error(`${module} has sum ${Sum}, not ${sum}`);
  return Dir;
}
