/**
 * The main file of the orphan watch: `orphan-main DATA_DIRECTORY SECONDS`, standard input held open by the agent. When that ends and no
 * agent has taken the directory within the time, the Envoys there are ended.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processIdentity } from '../process-identity.ts';
import { endEnvoys } from './end-envoys.ts';
import { readStates } from './state.ts';

const [directory = '', seconds = ''] = process.argv.slice(2);
const LOOK_MS = 200;

const own = lock();

// A Ctrl-C or a closed terminal is the agent's to act on.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
await new Promise((resolve) => process.stdin.on('end', resolve).on('error', resolve).on('close', resolve).resume());
for (const until = Date.now() + Number(seconds) * 1000; Date.now() < until; await new Promise((r) => setTimeout(r, LOOK_MS))) {
  if (isHeld() || readStates(directory).length === 0) process.exit(0);
}
await endEnvoys(directory, 0);

/** Another agent has the directory: it has a watch of its own. The one that we were started by may still be on its way out. */
function isHeld(): boolean {
  const text = lock();
  if (text === '' || text === own) return false;
  const [pid = '', started = ''] = text.split('\n');
  const identity = processIdentity(Number(pid));
  return identity !== undefined && (started === '' || identity === started);
}

function lock(): string {
  try {
    return readFileSync(join(directory, 'agent.pid'), 'utf8');
  } catch {
    return '';
  }
}
