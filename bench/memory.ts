/** Resident memory of agent and embedded proxy on the shop's mesh: idle, under requests, and after them. Linux only: read from /proc. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, type RequestOptions, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AgentClient, agentClient } from '../agent/client.ts';
import type { AgentStatus } from '../agent/status.ts';
import { figures } from './figures.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
const mesh = fileURLToPath(new URL('../examples/shop/mesh', import.meta.url));
const REQUESTS = 5000;
const CONNECTIONS = 32;
/** What a burst leaves is given back within this. */
const SETTLE_MS = 6000;

export async function benchMemory(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const args = [bin, 'up', mesh, '--engine', 'embedded', '--quiet', '--data', scratch, '--api-port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const status = await started(agentClient(`unix:${join(scratch, 'agent.sock')}`));
    const rows: string[][] = [];
    const measure = (when: string): void => {
      const [agent, proxy] = [resident(status.pid), resident(status.engine.pid)];
      rows.push([when, agent.toFixed(0), proxy.toFixed(0), (agent + proxy).toFixed(0)]);
    };
    await pause(SETTLE_MS);
    measure('idle');
    await traffic(proxyAddress(status));
    measure(`right after ${REQUESTS} requests over ${CONNECTIONS} connections`);
    await pause(SETTLE_MS);
    measure(`${SETTLE_MS / 1000} s later`);
    console.log(figures([['resident memory', 'agent MB', 'proxy MB', 'together'], ...rows]));
  } finally {
    child.kill('SIGTERM');
    await new Promise((r) => child.once('exit', r));
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function started(client: AgentClient): Promise<AgentStatus> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await pause(100)) {
    const status = await client.getJson<AgentStatus>('/fairlead/v1/status').catch(() => undefined);
    if (status?.engine.state === 'running' && status.proxies.length > 0 && status.proxies.every((p) => p.listening.length > 0))
      return status;
  }
  throw new Error('the mesh did not start');
}

function proxyAddress({ proxies }: AgentStatus): { host: string; port: number } {
  const address = proxies.flatMap((p) => p.listening).find((l) => l.purpose === 'http-proxy')?.address ?? '';
  const { hostname, port } = new URL(`http://${address}`);
  return { host: hostname, port: Number(port) };
}

/** Through a sidecar's HTTP proxy to a server of our own: the mesh's services are not running. */
async function traffic(through: { host: string; port: number }): Promise<void> {
  const backend = createServer((_request, response) => response.end(Buffer.alloc(1024, 'x')));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const origin = `127.0.0.1:${(backend.address() as AddressInfo).port}`;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const options = { ...through, path: `http://${origin}/`, headers: { host: origin }, agent };
  let left = REQUESTS;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await ask(options);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
  await new Promise((resolve) => backend.close(resolve));
}

function ask(options: RequestOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`the proxy answered ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject).end();
  });
}

function resident(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
