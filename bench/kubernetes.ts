/**
 * An agent on a real API server with 10,000 services and 50,000 endpoints: how long until it runs, what it holds in memory, and how long a changed route
 * takes to a proxy. Linux only: memory is read from /proc.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { agentClient } from '../agent/client.ts';
import type { AgentStatus } from '../agent/status.ts';
import { createDefinitions, namespaceOf, routeOf, serviceOf, sliceOf } from '../test/support/cluster-objects.ts';
import { type KubeApi, startKubeApi } from '../test/support/kube-api.ts';
import { figures } from './figures.ts';

const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));
const SERVICES = 10_000;
const ENDPOINTS = 5;
const NAMESPACES = 20;
const PARALLEL = 24;
const SETTLE_MS = 8000;
const EDITS = 5;

export async function benchKubernetes(): Promise<void> {
  const api = await startKubeApi();
  if ('missing' in api) {
    console.log(`no API server: ${api.missing}`);
    return;
  }
  const data = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    const made = await fill(api);
    const started = performance.now();
    const child = spawn(
      process.execPath,
      [bin, 'agent', 'run', '-k', '--engine', 'embedded', '--data', data, '--api-port', '0', '--metrics-port', '0'],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, KUBECONFIG: api.kubeconfig },
      },
    );
    try {
      const client = agentClient(`unix:${join(data, 'agent.sock')}`);
      const status = await until(async () => {
        const now = await client.getJson<AgentStatus>('/fairlead/v1/status').catch(() => undefined);
        return now?.config.state === 'accepted' && now.proxies.every((p) => p.sync === 'SYNCED') ? now : undefined;
      });
      const firstSync = performance.now() - started;
      const after = resident(status.pid);
      await pause(SETTLE_MS);
      const settled = resident(status.pid);
      const edits: number[] = [];
      for (let i = 0; i < EDITS; i++) {
        const before = (await client.getJson<AgentStatus>('/fairlead/v1/status')).proxies[0]?.version;
        await api.patch(routeOf('edited', 'ns-0', ''), {
          spec: { http: [{ route: [{ destination: { host: `service-${(i + 1) * NAMESPACES}` } }] }] },
        });
        const asked = performance.now();
        await until(async () => {
          const { proxies } = await client.getJson<AgentStatus>('/fairlead/v1/status');
          return proxies[0]?.version === before ? undefined : true;
        });
        edits.push(performance.now() - asked);
      }
      console.log(
        figures([
          [`${SERVICES} services, ${SERVICES * ENDPOINTS} endpoints`, ''],
          ['made in', `${(made / 1000).toFixed(1)} s`],
          ['from the start of the process until its proxy runs', `${(firstSync / 1000).toFixed(1)} s`],
          ['resident memory of the agent then', `${after.now.toFixed(0)} MB, at most ${after.peak.toFixed(0)} MB`],
          [`${SETTLE_MS / 1000} s later`, `${settled.now.toFixed(0)} MB`],
          ['from an edited VirtualService until the proxy runs it', edits.map((ms) => `${ms.toFixed(0)} ms`).join(', ')],
          ['memory after that', `${resident(status.pid).now.toFixed(0)} MB`],
        ]),
      );
    } finally {
      child.kill('SIGTERM');
      await new Promise((r) => child.once('exit', r));
    }
  } finally {
    await api.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Makes the objects, and gives the milliseconds that took. */
async function fill(api: KubeApi): Promise<number> {
  await createDefinitions(api);
  for (let n = 0; n < NAMESPACES; n++) await api.create(namespaceOf(`ns-${n}`));
  const started = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < SERVICES; i = next++) {
      const namespace = `ns-${i % NAMESPACES}`;
      await api.create(serviceOf(`service-${i}`, namespace, 8080));
      const addresses = Array.from({ length: ENDPOINTS }, (_, e) => `10.${128 + e}.${i >> 8}.${i & 255}`);
      await api.create(sliceOf(`service-${i}`, namespace, 8080, addresses));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  await api.create(routeOf('edited', 'ns-0', 'service-0'));
  return performance.now() - started;
}

/** MB. */
function resident(pid: number): { now: number; peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await pause(20)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('the agent did not get there in 120 s');
}
