/** Requests per second and latency of the embedded proxy with one worker, beside http-proxy, Envoy and nginx on the same path. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figures, median } from './figures.ts';
import { inPath, type Peer, peers } from './proxy/peers.ts';

const ROUNDS = 3;
const SECONDS = 5;
const CONNECTIONS = 32;
const FIRST_PORT = 19_400;

interface Run {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  errors: number;
}

export async function benchProxy(): Promise<void> {
  const wrk = inPath('wrk');
  if (!wrk) {
    console.log('skipped: wrk is not installed (Debian: apt-get install wrk)');
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const running: ChildProcess[] = [];
  try {
    const backendPort = FIRST_PORT + 50;
    running.push(
      await start([process.execPath, fileURLToPath(new URL('proxy/backend.ts', import.meta.url)), String(backendPort)], backendPort, 1),
    );
    const { present, absent } = peers(scratch, backendPort, FIRST_PORT);
    for (const peer of present) running.push(await start(peer.command, peer.port, 0));
    const runs = new Map<string, Run[]>(present.map((p) => [p.name, []]));
    for (const peer of present) load(wrk, peer, 2);
    // In turn, not one after the other: the machine's speed drifts.
    for (let round = 0; round < ROUNDS; round++) for (const peer of present) runs.get(peer.name)?.push(load(wrk, peer, SECONDS));
    report(present, runs);
    for (const name of absent) console.log(`${name} is not installed: left out`);
  } finally {
    for (const child of running.reverse()) child.kill('SIGTERM');
    await new Promise((r) => setTimeout(r, 500));
    for (const child of running) if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Starts a program pinned to one core, where taskset is there, and waits until its port answers. */
async function start(command: readonly string[], port: number, core: number): Promise<ChildProcess> {
  const [program, ...args] = inPath('taskset') ? ['taskset', '-c', String(core), ...command] : command;
  const child = spawn(program as string, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
    if (await answers(port)) return child;
    await new Promise((r) => setTimeout(r, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`${command.join(' ')}: nothing listens on port ${port}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function load(wrk: string, peer: Peer, seconds: number): Run {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', `http://127.0.0.1:${peer.port}/`];
  const [program, ...rest] = inPath('taskset') ? ['taskset', '-c', '1', wrk, ...args] : [wrk, ...args];
  const { stdout } = spawnSync(program as string, rest, { encoding: 'utf8' });
  const number = (re: RegExp): number => Number(re.exec(stdout)?.[1] ?? Number.NaN);
  const errors =
    Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0) +
    [...(/Socket errors: (.*)/.exec(stdout)?.[1] ?? '').matchAll(/\d+/g)].reduce((n, m) => n + Number(m[0]), 0);
  return { perSecond: number(/Requests\/sec:\s+([\d.]+)/), p50: milliseconds(stdout, '50%'), p99: milliseconds(stdout, '99%'), errors };
}

function milliseconds(text: string, quantile: string): number {
  const [, value, unit] = new RegExp(`${quantile}\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? [];
  return Number(value) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1);
}

function report(present: readonly Peer[], runs: Map<string, Run[]>): void {
  const of = (name: string, pick: (r: Run) => number): number => median((runs.get(name) ?? []).map(pick));
  const base = of('fairlead', (r) => r.perSecond);
  const rows = present.map(({ name }) => [
    name,
    of(name, (r) => r.perSecond).toFixed(0),
    of(name, (r) => r.p50).toFixed(2),
    of(name, (r) => r.p99).toFixed(2),
    (base / of(name, (r) => r.perSecond)).toFixed(2),
    String((runs.get(name) ?? []).reduce((n, r) => n + r.errors, 0)),
  ]);
  console.log(
    `HTTP/1.1, ${CONNECTIONS} keep-alive connections, 1 KiB answers, one worker on one core; median of ${ROUNDS} runs of ${SECONDS} s`,
  );
  console.log(figures([['proxy', 'requests/s', 'p50 ms', 'p99 ms', 'fairlead/it', 'errors'], ...rows]));
}
