/** Several Envoys as one engine. */
import type { EngineProcess, EngineState, EngineStatus } from '../engine.ts';

/** The worst first. */
const ORDER: readonly EngineState[] = ['backing-off', 'starting', 'draining', 'running', 'stopped'];

/** @param own the engine's own state, before and beyond its processes */
export function combinedStatus(
  processes: readonly EngineProcess[],
  own: { state: 'starting' | 'running' | 'draining' | 'stopped'; since: number; version: string },
): EngineStatus {
  const states: readonly EngineState[] =
    own.state === 'running' ? processes.map((p) => p.state).filter((s) => s !== 'stopped') : [own.state];
  const newest = processes.filter((p) => p.restarts > 0).sort((a, b) => b.since - a.since)[0];
  return {
    engine: 'envoy',
    engineVersion: own.version,
    state: ORDER.find((s) => states.includes(s)) ?? own.state,
    pid: processes.length === 1 ? processes[0]?.pid : undefined,
    since: own.since,
    restarts: processes.reduce((sum, p) => sum + p.restarts, 0),
    lastExit: own.state === 'stopped' ? 'stopped' : newest?.lastExit,
    adopted: processes.length > 0 && processes.every((p) => p.adopted),
    processes,
  };
}
