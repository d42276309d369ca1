/**
 * A whole rotation of the root by the command line, stage by stage and then with `--auto`, while requests go over mutual TLS at a steady
 * pace and certificates live for a minute: how many requests fail, on each engine.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type AgentClient, agentClient } from '../agent/client.ts';
import type { AgentStatus } from '../agent/status.ts';
import { startBackend } from '../test/support/backend.ts';
import { fairlead, startFairlead } from '../test/support/cli.ts';
import { realEnvoy } from '../test/support/envoy.ts';
import { createClient, until } from '../test/support/http.ts';
import { client, secured, service, testPort } from '../test/support/mesh.ts';
import { figures, median } from './figures.ts';

const PER_SECOND = 300;
const CERTIFICATE_LIFE = '1m';
/** A stage waits for certificates that live a minute. */
const STAGE_MS = 240_000;

interface Traffic {
  sent: number;
  /** What went wrong, and when. */
  failures: string[];
  /** Milliseconds. */
  took: number[];
  end(): Promise<void>;
}

export async function benchRotation(): Promise<void> {
  const envoy = realEnvoy();
  const rows: string[][] = [];
  for (const engine of ['embedded', 'envoy'] as const) {
    if (engine === 'envoy' && 'missing' in envoy) console.log(`Envoy is left out: ${envoy.missing}`);
    else rows.push(...(await rotateUnderLoad(engine, 'path' in envoy ? { ENVOY_PATH: envoy.path } : {})));
  }
  const head = ['rotation of the root', 'took s', 'renewals', 'requests', 'per second', 'p50 ms', 'p99 ms', 'worst ms', 'failed'];
  console.log(`mutual TLS under STRICT, ${PER_SECOND} requests a second, certificates of ${CERTIFICATE_LIFE}`);
  console.log(figures([head, ...rows]));
}

async function rotateUnderLoad(engine: 'embedded' | 'envoy', more: Record<string, string>): Promise<string[][]> {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const [folder, ca, data] = ['mesh', 'ca', 'data'].map((name) => join(root, name)) as [string, string, string];
  const backend = await startBackend('payments');
  const [inbound, proxy] = [testPort(), testPort()];
  mkdirSync(folder);
  const strict =
    '---\nkind: PeerAuthentication\napiVersion: security.istio.io/v1\nmetadata: { name: default, namespace: istio-system }\nspec: { mtls: { mode: STRICT } }\n';
  const parts = [
    service('payments'),
    secured('payments', inbound, backend.port),
    client('billing', { 'fairlead.dev/http-proxy-port': String(proxy) }),
  ];
  writeFileSync(join(folder, 'mesh.yaml'), parts.join('') + strict);
  const env = { FAIRLEAD_ENGINE: engine, FAIRLEAD_CA_DIR: ca, ...more };
  await command(['ca', 'init'], env);
  const args = ['agent', 'run', '-f', folder, '--data', data, '--ca-dir', ca, '--cert-ttl', CERTIFICATE_LIFE];
  const agent = startFairlead([...args, '--api-port', '0', '--metrics-port', '0', '--log-level', 'warning'], env);
  const api = agentClient(`unix:${join(data, 'agent.sock')}`);
  const rows: string[][] = [];
  try {
    const probe = createClient(`127.0.0.1:${proxy}`);
    const serves = (): Promise<boolean> =>
      probe.get('http://payments/').then(
        ({ status }) => status === 200,
        () => false,
      );
    await until('it serves', serves, 60_000);
    probe.close();
    for (const [how, run] of [
      ['stage by stage', stageByStage],
      ['--auto', (e: Record<string, string>) => command(['ca', 'rotate', '--auto', '--yes'], e)],
    ] as const) {
      const before = await renewals(api);
      const traffic = startTraffic(proxy);
      const started = performance.now();
      await run(env);
      const took = (performance.now() - started) / 1000;
      // The last stage has reached the proxies, and certificates were renewed once more.
      await pause(40_000);
      await traffic.end();
      const elapsed = (performance.now() - started) / 1000;
      const sorted = traffic.took.toSorted((a, b) => a - b);
      const figure = (ms: number | undefined): string => (ms ?? Number.NaN).toFixed(1);
      rows.push([
        `${engine}, ${how}`,
        took.toFixed(0),
        String((await renewals(api)) - before),
        String(traffic.sent),
        (traffic.sent / elapsed).toFixed(0),
        figure(median(sorted)),
        figure(sorted[Math.floor(sorted.length * 0.99)]),
        figure(sorted.at(-1)),
        String(traffic.failures.length),
      ]);
      for (const failure of traffic.failures.slice(0, 5)) console.log(`${engine}, ${how}: ${failure}`);
    }
  } catch (error) {
    console.log(agent.err());
    throw error;
  } finally {
    agent.child.kill('SIGTERM');
    await agent.ended;
    await backend.close();
    rmSync(root, { recursive: true, force: true });
  }
  return rows;
}

/** Each stage as soon as nobody is behind: until then the command says who is, and ends with 1. */
async function stageByStage(env: Record<string, string>): Promise<void> {
  for (const stage of ['prepare', 'activate', 'taint', 'revoke']) {
    for (const deadline = Date.now() + STAGE_MS; ; await pause(1000)) {
      const { code, err, out } = await fairlead(['ca', 'rotate', stage, ...(stage === 'prepare' ? [] : ['--yes'])], { env });
      if (code === 0) break;
      if (code !== 1 || Date.now() > deadline) throw new Error(`ca rotate ${stage} ended with ${code}: ${err}${out}`);
    }
  }
}

async function command(args: readonly string[], env: Record<string, string>): Promise<void> {
  const { code, err } = await fairlead(args, { env });
  if (code !== 0) throw new Error(`fairlead ${args.join(' ')} ended with ${code}: ${err}`);
}

async function renewals(api: AgentClient): Promise<number> {
  const { identity } = await api.getJson<AgentStatus>('/fairlead/v1/status');
  return identity.certificates.reduce((sum, { renewals: n }) => sum + n, 0);
}

/** At their pace whatever the answers do: a slow one holds nothing back. */
function startTraffic(proxy: number): Traffic {
  const web = createClient(`127.0.0.1:${proxy}`, 64);
  const pending = new Set<Promise<void>>();
  const started = performance.now();
  const traffic: Traffic = { sent: 0, failures: [], took: [], end };
  const fail = (why: string): void => {
    traffic.failures.push(`after ${((performance.now() - started) / 1000).toFixed(1)} s: ${why}`);
  };
  async function once(): Promise<void> {
    const answer = await web.get('http://payments/').catch((error: Error) => error);
    if (answer instanceof Error) fail(answer.message);
    else if (answer.status !== 200) fail(`${answer.status} ${answer.body}`);
    else traffic.took.push(answer.took);
  }
  const timer = setInterval(() => {
    const due = ((performance.now() - started) / 1000) * PER_SECOND;
    while (traffic.sent < due) {
      traffic.sent++;
      const one = once().finally(() => pending.delete(one));
      pending.add(one);
    }
  }, 5);
  async function end(): Promise<void> {
    clearInterval(timer);
    await Promise.all(pending);
    web.close();
  }
  return traffic;
}
