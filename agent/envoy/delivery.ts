/** How a proxy's config gets to its Envoy, and what becomes of it. */
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { DataDirectory } from '../data-directory.ts';
import type { ApplyResult } from '../engine.ts';
import type { Log } from '../log.ts';
import type { XdsServer } from '../xds/server.ts';
import { addressesOf, type Entry, emptied, refusal, unavailable } from './entry.ts';
import { addressText, bindProblems, freed } from './ports.ts';
import { readRefusal } from './refusal.ts';
import { envoyFiles, keyOf } from './state.ts';

export interface DeliveryParts {
  data: Pick<DataDirectory, 'path'>;
  log: Log;
  /** undefined before the start. */
  xds(): XdsServer | undefined;
  /** Throws E_ENGINE_FAILED when the engine does not run. */
  running(): XdsServer;
  stopped(): boolean;
  onStatus(listener: () => void): () => void;
  /** What ran in a proxy does not run any more. */
  lost(proxyId: string, problems: readonly Problem[]): void;
}

export interface Delivery {
  prepare(entry: Entry): Promise<void>;
  equip(entry: Entry): Promise<void>;
  give(entry: Entry, next: Snapshot, send: (xds: XdsServer) => void): Promise<ApplyResult>;
  /** Waits until the proxy has taken its secrets. Rejects with E_ENGINE_FAILED when it refuses one or does not answer. */
  settleSecrets(entry: Entry): Promise<void>;
}

/** How long a proxy may take to acknowledge a config. */
const SETTLE_MS = 60_000;
/** How long a change waits for an Envoy that is being restarted. */
const WAIT_MS = 5000;
/** A process may end while it takes a config, for reasons of its own; more often than this it is the config. */
const ATTEMPTS = 3;
/** How long a port that a proxy gave up may take to be free. */
const FREED_MS = 1000;

export function createDelivery(parts: DeliveryParts): Delivery {
  const { data, log } = parts;

  /** Before a restart: a port may be taken by now, and Envoy would share it with another Envoy. */
  async function prepare(entry: Entry): Promise<void> {
    if (!entry.applied) return;
    const problems = await bindProblems(entry.applied.listeners, new Set());
    if (problems.length > 0) lose(entry, problems);
  }

  /** A new process is there: it is given what ran in the old one. */
  async function equip(entry: Entry): Promise<void> {
    const { id, applied } = entry;
    entry.refused = undefined;
    if (!applied) return;
    const result = await settle(entry, applied.version).catch((error: Error) => refusal(applied.version, [unavailable(error)]));
    if (!result.applied) lose(entry, result.problems);
    else log.debug('the new Envoy has its config', { proxy: id });
  }

  /** What ran before does not run any more. */
  function lose(entry: Entry, problems: readonly Problem[]): void {
    if (entry.applied) parts.xds()?.set(emptied(entry.applied));
    entry.applied = undefined;
    parts.lost(entry.id, problems);
  }

  /** Waits until the proxy has taken or refused what it was given. Throws E_ENGINE_FAILED when its process keeps ending. */
  async function settle({ id, supervisor }: Entry, version: string): Promise<ApplyResult> {
    const before = supervisor.status().restarts;
    const ended = Promise.withResolvers<never>();
    const listener = (): void => {
      const { restarts, lastExit } = supervisor.status();
      if (!parts.stopped() && restarts - before < ATTEMPTS) return;
      ended.reject(
        new FairleadError('E_ENGINE_FAILED', `Envoy does not stay up with this config (${lastExit})`, {
          next: `Its log is ${envoyFiles(data.path, keyOf(id, supervisor.status().proxy ?? '')).log}.`,
        }),
      );
    };
    ended.promise.catch(() => undefined);
    const forget = parts.onStatus(listener);
    try {
      const result = readRefusal(await Promise.race([parts.running().settled(id, version, SETTLE_MS), ended.promise]));
      // A secret that is refused is told to whoever gave it; the config is as good as before.
      return result.applied || result.problems.some((p) => !isOfSecret(p)) ? result : { applied: true, version };
    } finally {
      forget();
    }
  }

  /** Gives a proxy new config; on a refusal the last good one is given again, for Envoy takes the resources that it likes. */
  async function give(entry: Entry, next: Snapshot, send: (xds: XdsServer) => void): Promise<ApplyResult> {
    const { supervisor, id } = entry;
    const server = parts.running();
    // What could not be bound may be free by now; what is refused for itself is not asked again.
    if (entry.refusal) server.retry(id);
    send(server);
    let result: ApplyResult;
    try {
      await supervisor.ensure(WAIT_MS);
      result = await settle(entry, next.version);
    } catch (error) {
      // One Envoy that is away does not hold back the others.
      result = refusal(next.version, [unavailable(error as Error)]);
    }
    if (result.applied) {
      const before = entry.applied;
      Object.assign(entry, { applied: next, refused: undefined, refusal: undefined });
      await freed(
        addressesOf(before).filter((a) => !addressesOf(next).some((b) => addressText(a) === addressText(b))),
        FREED_MS,
      );
      return result;
    }
    if (!result.problems.some((p) => p.rule.startsWith('listener/') || p.rule === 'engine/unavailable'))
      entry.refused = { version: next.version, pid: supervisor.status().pid, problems: result.problems };
    entry.refusal = { at: Date.now(), problems: result.problems };
    const good = entry.applied ?? emptied(next);
    server.set(good);
    if (supervisor.status().state === 'running') await server.settled(id, good.version, WAIT_MS).catch(() => undefined);
    return result;
  }

  async function settleSecrets({ id, applied, supervisor }: Entry): Promise<void> {
    if (!applied) return;
    await supervisor.ensure(WAIT_MS);
    const result = await parts.running().settled(id, applied.version, WAIT_MS);
    const problems = result.applied ? [] : result.problems.filter(isOfSecret);
    if (problems.length > 0) throw new FairleadError('E_ENGINE_FAILED', problems.map(({ message }) => message).join('; '));
  }

  return { prepare, equip, give, settleSecrets };
}

const isOfSecret = ({ origin }: Problem): boolean => origin?.startsWith('secret') === true;
