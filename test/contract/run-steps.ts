import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { until } from '../support/http.ts';
import type { LogReader } from './access-log.ts';
import type { Backend } from './backends/types.ts';
import type { Step } from './case.ts';
import type { Credentials } from './credentials/credentials.ts';
import type { ContractEngine } from './engines/types.ts';
import { CLIENT } from './mesh-of-case.ts';
import { type Exchange, runRequests } from './run-requests.ts';
import { createWitness, settle } from './witness.ts';

export interface Running {
  engine: ContractEngine;
  log: LogReader;
  snapshots: ReadonlyMap<string, Snapshot>;
  backends: ReadonlyMap<string, Backend>;
  credentials: Credentials;
}

/** How long records, statistics and mirrored requests may take to come in. */
const LATE_MS = 5000;
/** The same while a step is sent again and again. */
const SOON_MS = 200;
/** How long what takes effect a moment later may take. */
const EVENTUALLY_MS = 8000;

/** Runs steps in order. Throws an error that says every expectation of a step that was not met. */
export async function runSteps(steps: readonly Step[], { engine, log, snapshots, backends, credentials }: Running): Promise<void> {
  const usesStats = steps.some((s) => s.expect?.stats ?? s.finish?.stats ?? s.wait);
  const witness = await createWitness(engine, log, backends, usesStats ? snapshots.keys() : []);
  const background: Promise<Exchange[]>[] = [];

  /** Whose statistics a step is about. A port of its own belongs to the case's first proxy. */
  const proxyOf = ({ from, to, wait }: Step): string =>
    from ?? wait?.from ?? (to === undefined && snapshots.has(CLIENT) ? CLIENT : [...snapshots.keys()][0]!);
  const portOf = (step: Step): number =>
    step.to === undefined ? (snapshots.get(proxyOf(step))?.proxy.httpProxyPort ?? 0) : Number(step.to);

  async function request(step: Step): Promise<string[]> {
    const { expect = {}, background: later, eventually, times = 1 } = step;
    const [proxy, port] = [proxyOf(step), portOf(step)];
    const once = async (patience: number): Promise<string[]> => {
      witness.begin();
      return witness.mismatches(expect, await runRequests(step, port, credentials), proxy, port, patience);
    };
    if (eventually) return settle(EVENTUALLY_MS, () => once(SOON_MS));
    if (!later) return once(LATE_MS);
    witness.begin();
    background.push(runRequests(step, port, credentials));
    if (later !== 'waiting') await until('a backend has the request', () => witness.arrived().length >= times, LATE_MS);
    return [];
  }

  async function run(step: Step): Promise<string[]> {
    const { release, change, wait, finish } = step;
    if (change) backends.get(change.backend)!.reply = change.reply;
    if (release) backends.get(release)!.release();
    if (wait) return settle(LATE_MS, () => witness.statMismatches(wait.stats, proxyOf(step)));
    if (step.url !== undefined || step.send !== undefined) return request(step);
    if (!finish) return [];
    const exchanges = (await Promise.all(background.splice(0))).flat();
    return witness.mismatches(finish, exchanges, proxyOf(step), portOf(step), LATE_MS);
  }

  try {
    for (const [i, step] of steps.entries()) {
      const wrong = await run(step);
      if (wrong.length > 0) throw new Error(`step ${i + 1}: ${wrong.join('\n  ')}`);
    }
  } finally {
    for (const backend of backends.values()) backend.release();
    await Promise.allSettled(background);
  }
}
