/** Resident memory of agent and embedded proxy on the shop's mesh, after some traffic. Linux only: read from /proc. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentClient } from '../agent/client.ts';
import { figures } from './figures.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
const mesh = fileURLToPath(new URL('../examples/shop/mesh', import.meta.url));

export async function benchMemory(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const child = spawn(process.execPath, [bin, 'up', mesh, '--quiet', '--data', scratch, '--api-port', '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const client = agentClient(`unix:${join(scratch, 'agent.sock')}`);
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await new Promise((r) => setTimeout(r, 100))) {
      if (await client.get('/fairlead/v1/status').catch(() => undefined)) break;
    }
    await new Promise((r) => setTimeout(r, 2000));
    const status = await client.getJson<{ pid: number; engine: { pid: number } }>('/fairlead/v1/status');
    const [agent, proxy] = [resident(status.pid), resident(status.engine.pid)];
    console.log(
      figures([
        ['process', 'MB'],
        ['agent', agent.toFixed(0)],
        ['embedded proxy', proxy.toFixed(0)],
        ['together', (agent + proxy).toFixed(0)],
      ]),
    );
  } finally {
    child.kill('SIGTERM');
    await new Promise((r) => child.once('exit', r));
    rmSync(scratch, { recursive: true, force: true });
  }
}

function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
