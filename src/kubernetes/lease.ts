/**
 * One of many processes does a thing at a time: who holds a Lease, as client-go's leader election keeps it.
 * https://kubernetes.io/docs/concepts/architecture/leases/ Needs the verbs get, create and update on `leases` (create cannot be limited to a name).
 *
 * No clock is compared with another's: whoever waits counts from when it has seen a record change, and the holder from before it sent its last
 * renewal that succeeded. The holder gives up after two thirds of the time, so it ends before another can begin, unless its process is stopped
 * at just that moment; what must never be done twice is to be fenced besides, by what it writes to.
 */
import { FairleadError } from '../errors.ts';
import { ApiStatusError } from './api-error.ts';
import { createBackOff, pause } from './back-off.ts';
import type { ApiClient } from './client.ts';

/** What is told about a lease. */
export interface LeaseLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warning(message: string, fields?: Record<string, unknown>): void;
}

export interface LeaseOptions {
  client: ApiClient;
  namespace: string;
  name: string;
  /** Of this process alone: a lease that is in its name already is its own, from an earlier life. A pod's name will do. */
  identity: string;
  /** How long others wait for a holder that is silent, in whole seconds. Default: 15,000. */
  durationMs?: number;
  /** How often those who wait look, a fifth up or down. Default: a seventh of the duration; thousands of them should take more. */
  lookMs?: number;
  log: LeaseLog;
  /**
   * This process has the lease. `signal` aborts when it is lost, before another can have it, and at `close`; until what is returned is done, the lease
   * is neither taken again nor released. When it rejects, the lease is released, and asked for again after a pause.
   */
  held(signal: AbortSignal): Promise<void> | void;
  /** It is lost: not told at `close`. */
  lost?(): void;
}

export interface Lease {
  /** Whether this process has it now, by the clock: true no longer, even when the process was stopped and no timer has run yet. */
  isHeld(): boolean;
  /** Who has it, as last seen; undefined: nobody, or not known yet. */
  holder(): string | undefined;
  /** Ends what `held` began, and releases the lease so that another has it at once. Idempotent. */
  close(): Promise<void>;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

interface LeaseObject {
  metadata: { name: string; namespace: string; resourceVersion?: string };
  spec?: LeaseSpec;
}

/** One time of holding it. */
interface Term {
  readonly end: AbortController;
  /** What `held` returned; never rejects. */
  work: Promise<void>;
}

/** Asks for the lease, for ever, until it is closed. */
export function holdLease(options: LeaseOptions): Lease {
  const { client, identity, log, namespace, name } = options;
  const seconds = Math.max(1, Math.ceil((options.durationMs ?? 15_000) / 1000));
  const durationMs = seconds * 1000;
  const renewMs = durationMs / 7.5;
  const lookMs = options.lookMs ?? renewMs;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const path = `${collection}/${name}`;
  const closing = new AbortController();
  const about = { lease: `${namespace}/${name}` };
  const backOff = createBackOff({ first: renewMs / 4, longest: Math.max(lookMs, renewMs) });
  /** As last read or written. */
  let known: LeaseObject | undefined;
  let seen = '';
  let seenAt = 0;
  /** When the last renewal that succeeded was sent. */
  let renewed: Moment | undefined;
  let term: Term | undefined;
  let failed = false;
  let closed: Promise<void> | undefined;

  const running = run();
  return {
    isHeld: () => term !== undefined && !term.end.signal.aborted && leftMs() > 0,
    holder: () => known?.spec?.holderIdentity || undefined,
    close() {
      closed ??= (async () => {
        term?.end.abort();
        closing.abort();
        await running;
      })();
      return closed;
    },
  };

  /** How much longer it may be taken for ours. */
  function leftMs(): number {
    return renewed === undefined ? 0 : (durationMs * 2) / 3 - since(renewed);
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const taken = await take();
      if (!taken) break;
      const now = begin();
      const why = await keep(now);
      now.end.abort();
      if (!closing.signal.aborted && why !== undefined) {
        log.warning('the lease is lost', { ...about, why });
        options.lost?.();
      }
      await finish(now, why === undefined);
      term = undefined;
    }
  }

  /** Resolves with true when the lease is ours, with false at the end. */
  async function take(): Promise<boolean> {
    while (!closing.signal.aborted) {
      try {
        if (await attempt(closing.signal, durationMs / 2)) return true;
        well();
        await pause(untilNextLook(), closing.signal);
      } catch (error) {
        if (closing.signal.aborted) break;
        await trouble(error as Error, closing.signal, 'the lease cannot be asked for; it is tried again');
      }
    }
    return false;
  }

  function untilNextLook(): number {
    const look = lookMs * (0.8 + 0.4 * Math.random());
    return Math.min(look, Math.max(0, expiresIn()) + 0.05 * durationMs * Math.random());
  }

  function begin(): Term {
    log.info('this process has the lease', { ...about, identity });
    const end = new AbortController();
    const begun: Term = { end, work: Promise.resolve() };
    term = begun;
    begun.work = (async () => options.held(end.signal))().catch((error: Error) => {
      if (end.signal.aborted) return;
      log.warning('what the lease is for has failed; it is released', { ...about, why: error.message });
      end.abort();
    });
    return begun;
  }

  /** Renews until it is lost, given up or closed: why it is lost, else undefined. */
  async function keep({ end: { signal } }: Term): Promise<string | undefined> {
    const late = 'it could not be renewed in time';
    let next = renewMs * (0.9 + 0.2 * Math.random());
    while (!signal.aborted) {
      await pause(Math.min(next, leftMs()), signal);
      if (signal.aborted) break;
      if (leftMs() <= 0) return late;
      try {
        if (!(await attempt(signal, leftMs()))) return `${known?.spec?.holderIdentity || 'nobody'} has it`;
        well();
        next = renewMs * (0.9 + 0.2 * Math.random());
      } catch (error) {
        if (signal.aborted) break;
        if (!failed) log.warning('the lease is not renewed; it is tried again', { ...about, why: (error as Error).message });
        failed = true;
        next = backOff.next();
      }
    }
    return undefined;
  }

  /** Waits for what `held` began. @param release meanwhile it is renewed, and released at last */
  async function finish({ work }: Term, release: boolean): Promise<void> {
    if (!release) return work;
    const over = new AbortController();
    const done = work.then(() => over.abort());
    // What does not end does not hold up others for longer than a death would.
    const deadline = performance.now() + durationMs;
    while (!over.signal.aborted && leftMs() > 0 && performance.now() < deadline) {
      await pause(Math.min(renewMs, leftMs()), over.signal);
      if (!over.signal.aborted && leftMs() > 0 && !(await attempt(over.signal, leftMs()).catch(() => true))) return done;
    }
    if (over.signal.aborted && leftMs() > 0) await releaseIt().catch(() => undefined);
    renewed = undefined;
    if (closing.signal.aborted) return;
    await done;
    await pause(durationMs * (0.5 + Math.random() / 2), closing.signal);
  }

  async function releaseIt(): Promise<void> {
    for (let tries = 0; tries < 3; tries++) {
      const lease = await read(AbortSignal.timeout(renewMs));
      if (lease?.spec?.holderIdentity !== identity) return;
      try {
        // As client-go: a moment's length, so that whoever does not know what an empty name means waits no longer.
        const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() };
        known = await write({ ...lease, spec }, AbortSignal.timeout(renewMs));
        log.info('the lease is released', about);
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** Takes or renews it: whether it is ours now. Rejects when that is not known. @param withinMs for all of it */
  async function attempt(signal: AbortSignal, withinMs: number): Promise<boolean> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.ceil(withinMs)))]);
    try {
      return await attemptWith(term === undefined ? undefined : known, bounded);
    } catch (error) {
      // What was known is old, as after a renewal whose answer was cut off.
      if (isConflict(error) || isMissing(error)) return await attemptWith(undefined, bounded);
      if (bounded.aborted && !signal.aborted) throw new FairleadError('E_CLUSTER_UNREACHABLE', 'the API server did not answer in time');
      throw error;
    }
  }

  async function attemptWith(lease: LeaseObject | undefined, signal: AbortSignal): Promise<boolean> {
    const found = lease ?? (await read(signal));
    if (found) observe(found);
    const before = found?.spec;
    const mine = before?.holderIdentity === identity;
    if (before?.holderIdentity && !mine && expiresIn() > 0) return false;
    const renewing = mine && term !== undefined;
    const sent = momentNow();
    const time = microTime();
    const spec: LeaseSpec = {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: seconds,
      renewTime: time,
      acquireTime: renewing ? (before?.acquireTime ?? time) : time,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (found === undefined || mine ? 0 : 1),
    };
    const written = await (found ? write({ ...found, spec }, signal) : create(spec, signal));
    observe(written);
    renewed = sent;
    return true;
  }

  function observe(lease: LeaseObject): void {
    known = lease;
    const now = JSON.stringify(lease.spec ?? {});
    if (now === seen) return;
    seen = now;
    seenAt = performance.now();
  }

  function expiresIn(): number {
    return seenAt + (known?.spec?.leaseDurationSeconds ?? seconds) * 1000 - performance.now();
  }

  async function read(signal: AbortSignal): Promise<LeaseObject | undefined> {
    try {
      return (await client.request(path, { signal })) as LeaseObject;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  function write(lease: LeaseObject, signal: AbortSignal): Promise<LeaseObject> {
    return client.request(path, { method: 'PUT', body: lease, signal }) as Promise<LeaseObject>;
  }

  function create(spec: LeaseSpec, signal: AbortSignal): Promise<LeaseObject> {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
    return client.request(collection, { method: 'POST', body, signal }) as Promise<LeaseObject>;
  }

  function well(): void {
    backOff.reset();
    if (failed) log.info('the lease is within reach again', about);
    failed = false;
  }

  async function trouble(error: Error, signal: AbortSignal, message: string): Promise<void> {
    // Somebody was faster.
    if (isConflict(error)) return pause(backOff.next(), signal);
    if (!failed) log.warning(message, { ...about, why: error.message });
    failed = true;
    await pause(backOff.next(), signal);
  }
}

interface Moment {
  monotonic: number;
  wall: number;
}

const momentNow = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/** The longer of both clocks: the monotonic one stands still while a machine sleeps, the other may be set. */
const since = ({ monotonic, wall }: Moment): number => Math.max(performance.now() - monotonic, Date.now() - wall);

/** RFC 3339 with microseconds, as Kubernetes' MicroTime. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');

const isConflict = (error: unknown): boolean => error instanceof ApiStatusError && error.status === 409;
const isMissing = (error: unknown): boolean => error instanceof ApiStatusError && error.status === 404;
