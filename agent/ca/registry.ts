/** The agents that use this CA: which trust bundle each has seen, and which certificates it holds. In `agents*.json`. */
import { readdirSync } from 'node:fs';
import { readTextIfThere, unusable, writeText } from './directory.ts';

export interface AgentRecord {
  /** SPIFFE ID that it reports with. */
  identity: string;
  /** Which of several of that identity: its certificate's key, or a name that it gives itself. */
  name: string;
  /** Of the trust bundle that all of its workloads have. */
  sequence: number;
  /** Serial numbers of the certificates that it holds and uses. */
  serials: readonly string[];
  /** ISO 8601. */
  seen: string;
}

export interface Registry {
  report(record: AgentRecord): void;
  close(): void;
}

/** What `ca serve` was told. Agents with the directory at hand have a file each, so that none overwrites another's. */
const FILE = 'agents.json';
const FILES = /^agents(?:-[0-9a-f]+)?\.json$/;
const WRITE_AFTER_MS = 500;
/** An agent that has not been heard of for so long is forgotten: its certificates, at most that old, count by themselves. */
const FORGET_MS = 7 * 86_400_000;
const MOST = 100_000;

/** Throws E_CA_DIRECTORY. */
export function readAgents(directory: string): AgentRecord[] {
  return agentFiles(directory).flatMap((file) => readFile(directory, file));
}

function agentFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => FILES.test(name));
  } catch (error) {
    throw unusable(directory, error);
  }
}

function readFile(directory: string, file: string): AgentRecord[] {
  try {
    return JSON.parse(readTextIfThere(directory, file) ?? '[]') as AgentRecord[];
  } catch (error) {
    // It is a cache of what agents say again soon; without it, the gates of a rotation wait.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Reports are written within half a second: a crash loses none that is not soon repeated. */
export function openRegistry(directory: string, file = FILE): Registry {
  const keyOf = ({ identity, name }: AgentRecord): string => `${identity} ${name}`;
  const agents = new Map(readFile(directory, file).map((record) => [keyOf(record), record]));
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const horizon = Date.now() - FORGET_MS;
    for (const [key, record] of agents) if (Date.parse(record.seen) < horizon) agents.delete(key);
    writeText(directory, file, `${JSON.stringify([...agents.values()])}\n`);
  };
  return {
    report(record) {
      if (agents.size >= MOST && !agents.has(keyOf(record))) return;
      agents.set(keyOf(record), record);
      timer ??= setTimeout(() => {
        try {
          write();
        } catch {
          // Agents report again.
        }
      }, WRITE_AFTER_MS).unref();
    },
    close() {
      if (timer) write();
    },
  };
}
