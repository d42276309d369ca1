/** One case on one engine: its backends and its mesh for the time of the case, its steps in order. */
import type { LogReader } from './access-log.ts';
import { startBackend } from './backends/start.ts';
import type { Backend } from './backends/types.ts';
import type { ContractCase } from './case.ts';
import { credentialsOf } from './credentials/credentials.ts';
import { secretsOf } from './credentials/secrets.ts';
import type { ContractEngine } from './engines/types.ts';
import { meshOf } from './mesh-of-case.ts';
import { filled, placeholders } from './placeholders.ts';
import { runSteps } from './run-steps.ts';

/** Throws an error that says every expectation that was not met. */
export async function runCase(contractCase: ContractCase, engine: ContractEngine, log: LogReader, logFile: string): Promise<void> {
  const backends = new Map<string, Backend>();
  try {
    const credentials = await credentialsOf(contractCase);
    for (const [name, spec] of Object.entries(contractCase.backends)) backends.set(name, await startBackend(name, spec, credentials));
    const places = placeholders(
      [...backends].map(([name, { port }]) => [name, port] as const),
      credentials,
    );
    const { mesh, snapshots } = await meshOf(contractCase, places, logFile);
    await engine.run(snapshots, await secretsOf(mesh, snapshots));
    await runSteps(filled(contractCase.steps, places), { engine, log, snapshots, backends, credentials });
  } finally {
    for (const backend of backends.values()) await backend.close();
  }
}
