/** What the engine knows of one proxy and its Envoy. */
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { ApplyResult } from '../engine.ts';
import { boundAddresses } from './ports.ts';
import type { Supervisor } from './supervisor.ts';

export interface Entry {
  id: string;
  supervisor: Supervisor;
  /** What it runs. */
  applied: Snapshot | undefined;
  /** What it did not take, and will not take until something else is asked of it. */
  refused: { version: string; pid: number | undefined; problems: readonly Problem[] } | undefined;
  /** Why the newest config was refused, while it is not taken. */
  refusal: { at: number; problems: readonly Problem[] } | undefined;
}

/** A proxy that is to run nothing. */
export function emptied(snapshot: Snapshot): Snapshot {
  return { ...snapshot, version: 'none', listeners: [], routes: [], clusters: [], endpoints: [] };
}

/** Where its listeners are bound. */
export function addressesOf(snapshot: Snapshot | undefined): ReturnType<typeof boundAddresses> {
  return snapshot?.listeners.flatMap(boundAddresses) ?? [];
}

export function refusal(version: string, problems: readonly Problem[]): ApplyResult & { applied: false } {
  return { applied: false, version, problems };
}

export function unavailable(error: Error): Problem {
  const hint = error instanceof FairleadError ? error.next : undefined;
  return { severity: 'error', rule: 'engine/unavailable', message: error.message, ...(hint ? { hint } : {}) };
}
