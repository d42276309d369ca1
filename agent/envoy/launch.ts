/** Starts one Envoy process and waits until its admin API answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { FairleadError } from '../../src/errors.ts';
import type { OsProcess } from '../os-process.ts';
import type { EnvoyAdmin } from './admin.ts';
import { commandLine, type EnvoyFiles, type EnvoyPlan, readBaseId, validateBootstrap } from './command-line.ts';
import { ofShell } from './envoy-process.ts';

export interface Launch {
  plan: EnvoyPlan;
  files: EnvoyFiles;
  exitFile: string;
  proxyId: string;
  admin: EnvoyAdmin;
  /** 0: a first process; else it takes over from the one before. */
  epoch: number;
  /** The process exists: it is to be found again from here on. */
  started(process: OsProcess): void;
  cancelled(): boolean;
  /** The last lines of Envoy's log. */
  said(): string;
}

/** Long, because a loaded machine may take its time; nobody waits for it when the process ends sooner. */
const START_DEADLINE_MS = 30_000;
const ASK_EVERY_MS = 20;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Writes the bootstrap (validated by Envoy itself before it is in its place), then starts. Throws E_ENGINE_FAILED, also when `cancelled`
 * says so meanwhile; the new process is gone then.
 */
export async function launchEnvoy(launch: Launch): Promise<OsProcess> {
  const { plan, files, epoch } = launch;
  await prepareBootstrap(plan, files);
  // Processes that were killed leave their base id's shared memory; taking the same id again takes that over.
  const before = readBaseId(files.baseId);
  try {
    return await startOnce(launch, before);
  } catch (error) {
    if (before === undefined || epoch > 0 || launch.cancelled()) throw error;
    // Another Envoy of this machine may have taken the id.
    return await startOnce(launch, undefined);
  }
}

async function prepareBootstrap(plan: EnvoyPlan, files: EnvoyFiles): Promise<void> {
  const text = `${JSON.stringify(plan.bootstrap, null, 1)}\n`;
  const stamp = `${plan.binary.path} ${plan.binary.stamp}\n`;
  const validated = `${files.bootstrap}.validated`;
  if (readText(files.bootstrap) === text && readText(validated) === stamp) return;
  const next = files.bootstrap.replace(/\.json$/, '.next.json');
  writeFileSync(next, text, { mode: 0o600 });
  await validateBootstrap(plan.binary, next);
  renameSync(next, files.bootstrap);
  writeFileSync(validated, stamp, { mode: 0o600 });
}

async function startOnce(launch: Launch, baseId: number | undefined): Promise<OsProcess> {
  const { plan, files, epoch, admin } = launch;
  const { binary } = plan;
  if (baseId === undefined) rmSync(files.baseId, { force: true });
  const process = await spawnEnvoy(binary.path, commandLine(plan, files, epoch, baseId), files.log, launch.exitFile);
  let failed: string | undefined;
  launch.started(process);
  process.onExit((why) => {
    failed = why;
  });
  for (const deadline = Date.now() + START_DEADLINE_MS; Date.now() < deadline && failed === undefined && !launch.cancelled(); ) {
    const info = await admin.serverInfo();
    if (info && info.nodeId === launch.proxyId && info.epoch === epoch && failed === undefined) return process;
    await pause(ASK_EVERY_MS);
  }
  const why = failed ?? (launch.cancelled() ? 'it is no longer wanted' : `no answer after ${START_DEADLINE_MS / 1000} s`);
  if (failed === undefined) {
    process.signal('SIGTERM');
    await process.gone(1000);
  }
  const said = launch.said();
  throw new FairleadError('E_ENGINE_FAILED', `Envoy ${binary.version} did not start: ${why}${said === '' ? '' : `\n${said}`}`, {
    next: `Its log is ${files.log}.`,
  });
}

/**
 * Envoy asks the kernel to end it together with its parent (PR_SET_PDEATHSIG, so that no hot restart is left without its script), but it is to
 * outlive the agent. So its parent is a shell of its own, which also keeps its exit code for the next agent.
 */
const SHELL = '"$@" 3>&- & echo $! >&3; exec 3>&- 2>/dev/null; wait $!; code=$?; echo $code >"$0"; exit $code';

async function spawnEnvoy(path: string, args: readonly string[], logFile: string, exitFile: string): Promise<OsProcess> {
  rmSync(exitFile, { force: true });
  const log = openSync(logFile, 'a', 0o600);
  // Detached: a Ctrl-C in the agent's terminal must not reach the data plane before it is drained.
  const shell = spawn('/bin/sh', ['-c', SHELL, exitFile, path, ...args], { detached: true, stdio: ['ignore', log, log, 'pipe'], cwd: '/' });
  closeSync(log);
  try {
    const pid = Number.parseInt(await firstLine(shell), 10);
    const process = ofShell(shell, pid);
    shell.unref();
    return process;
  } catch (error) {
    throw new FairleadError('E_ENGINE_FAILED', `Envoy cannot be started: ${(error as Error).message}`, {
      next: `Its log is ${logFile}.`,
      cause: error,
    });
  }
}

function firstLine(shell: ChildProcess): Promise<string> {
  const pipe = shell.stdio[3] as Readable;
  return new Promise((resolve, reject) => {
    let text = '';
    shell.once('error', reject);
    pipe.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    pipe.on('error', reject);
    pipe.on('close', () => (/^\d+\n/.test(text) ? resolve(text) : reject(new Error('its shell does not tell its process'))));
  });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
