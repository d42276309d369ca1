/** Envoy has no end of its own: under `up` and `demo` a small process ends the Envoys of an agent that was killed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/cli/package-root.ts';

/**
 * Starts the watch. It knows that the agent is gone by the end of its standard input, however the agent ended; then it waits for a
 * successor for so long. Returns the function that ends it.
 */
export function startOrphanWatch(dataDirectory: string, seconds: number): () => void {
  const entry = join(
    packageRoot(),
    import.meta.filename.endsWith('.ts') ? 'agent/envoy/orphan-main.ts' : 'dist/agent/envoy/orphan-main.js',
  );
  const child = spawn(process.execPath, ['--max-semi-space-size=1', entry, dataDirectory, String(seconds)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Without it the Envoys outlive a killed agent, as they do under `agent run`; nothing else is lost.
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as { unref?(): void } | null)?.unref?.();
  return () => child.kill('SIGTERM');
}
