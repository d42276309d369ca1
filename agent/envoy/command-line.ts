/** How Envoy is called: its command line, the files that it reads, and a hash of it all. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { FairleadError } from '../../src/errors.ts';
import type { EnvoyBinary } from './find.ts';
import { LOG_FORMAT } from './log-file.ts';
import { plainReason } from './refusal.ts';

/** All that makes one Envoy differ from another. */
export interface EnvoyPlan {
  binary: EnvoyBinary;
  bootstrap: BootstrapJson;
  /** Worker threads; 0: one a CPU core. */
  concurrency: number;
  /** How long listeners that go away, and the old process of a hot restart, still serve. */
  drainSeconds: number;
}

export interface EnvoyFiles {
  bootstrap: string;
  /** Where Envoy writes the base id that it took. */
  baseId: string;
  log: string;
}

/** What the old process gets before the new one ends it, in times of the drain: Istio's defaults are 45 s and 60 s. */
const PARENT_LIFE = 4 / 3;
const VALIDATE_MS = 30_000;

/** Of everything that only a new process takes up. */
export function planHash({ bootstrap, concurrency, drainSeconds }: EnvoyPlan): string {
  return createHash('sha256')
    .update(JSON.stringify([bootstrap, concurrency, drainSeconds]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * https://www.envoyproxy.io/docs/envoy/latest/operations/cli; levels and drain strategy are Istio's.
 *
 * @param epoch 0 for a first process, more for one that takes over from its predecessor
 * @param baseId undefined lets Envoy take a free one
 */
export function commandLine(plan: EnvoyPlan, files: EnvoyFiles, epoch: number, baseId: number | undefined): string[] {
  const { concurrency, drainSeconds } = plan;
  return [
    ['-c', files.bootstrap],
    ['--log-path', files.log, '--log-format', LOG_FORMAT, '--log-format-escaped', '-l', 'warning', '--component-log-level', 'misc:error'],
    ['--file-flush-interval-msec', '500'],
    // Else Envoy walks all of each update for fields that it does not know, a quarter of its time for a large one; the encoder knows its API.
    ['--ignore-unknown-dynamic-fields'],
    concurrency > 0 ? ['--concurrency', String(concurrency)] : [],
    ['--drain-time-s', String(drainSeconds), '--parent-shutdown-time-s', String(Math.ceil(drainSeconds * PARENT_LIFE))],
    ['--drain-strategy', 'immediate', '--restart-epoch', String(epoch)],
    baseId === undefined ? ['--use-dynamic-base-id', '--base-id-path', files.baseId] : ['--base-id', String(baseId)],
  ].flat();
}

/** The base id of the last process here; undefined when there was none. */
export function readBaseId(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** `envoy --mode validate`. Throws E_ENGINE_FAILED with Envoy's reason. */
export function validateBootstrap(binary: EnvoyBinary, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      binary.path,
      ['--mode', 'validate', '-c', file, '-l', 'error'],
      { timeout: VALIDATE_MS, encoding: 'utf8' },
      (error, _, stderr) => {
        if (!error) return resolve();
        const said =
          /error initializing configuration '[^']*': (.*)/s.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1) ?? error.message;
        reject(
          new FairleadError(
            'E_ENGINE_FAILED',
            `Envoy ${binary.version} refuses its bootstrap: ${plainReason(said).slice(0, 1000) || error.message}`,
            {
              next: `The bootstrap is ${file}; \`${binary.path} --mode validate -c ${file}\` says it again.`,
              cause: error,
            },
          ),
        );
      },
    );
  });
}
