/**
 * Keeps the engine of a pod in step with what the node's agent sends, in place of a configuration of its own: wholes are given to the engine,
 * and answered as the engine takes them. What it had last runs on while the node's agent is away, over restarts of this process too.
 */
import { createHash } from 'node:crypto';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { loadWire } from '../../src/envoy/wire.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import type { ConfigState, Controller, ControllerEvent, ProxySync } from '../controller.ts';
import type { DataDirectory } from '../data-directory.ts';
import type { Engine } from '../engine.ts';
import type { Identity } from '../identity/identity.ts';
import { locateRefusal } from '../locate-refusal.ts';
import type { Log } from '../log.ts';
import { ABOUT, type AboutProxy } from '../node/about.ts';
import type { ResourceKind } from '../xds/resource-types.ts';
import { type OwnMesh, ownMesh } from './about.ts';
import { type AdsClient, connectAds } from './ads-client.ts';
import { CONFIG_KINDS, EMPTY, type HeldState, snapshotOf } from './assembly.ts';
import { type Batch, createInbox } from './inbox.ts';
import { openKept } from './kept.ts';
import { nacksOf } from './refusal.ts';
import { createPodSecrets } from './secrets.ts';

export interface PodControllerOptions {
  /** Path of the Unix socket of the node's agent. */
  socket: string;
  tokenFile: string;
  data: Pick<DataDirectory, 'read' | 'write' | 'writePieces'>;
  engine: Engine;
  version: string;
  log: Log;
  notify(event: ControllerEvent): void;
}

export interface PodController extends Controller {
  readonly identity: Identity;
  /** Runs what was kept, and connects. Resolves when something runs, or after some seconds without. */
  start(): Promise<void>;
  close(): void;
}

/** How long a start waits for the node's agent. */
const START_MS = 5000;
/** Parts of one change are told as one. */
const TELL_AFTER_MS = 30;

export function createPodController(options: PodControllerOptions): PodController {
  const { engine, log, socket, version, notify } = options;
  const from = `the node’s agent at unix:${socket}`;
  const kept = openKept(options.data, version, log);
  const inbox = createInbox(() => void kick());
  const secrets = createPodSecrets({ from, proxy: nameNow, changed: () => void again(), log });
  const began = Date.now();
  let held: HeldState = EMPTY;
  let own: OwnMesh | undefined;
  let sync: ProxySync | undefined;
  /** The engine has not got what is held: after a restart, or because it lost it. */
  let dirty = false;
  /** Listeners were told once. */
  let complete = false;
  let told: string | undefined;
  /** By type and name. */
  const refused = new Map<string, Problem>();
  let away: Problem | undefined;
  let acceptedAt = began;
  let took = 0;
  let ads: AdsClient | undefined;
  let working: Promise<void> | undefined;
  let more = false;
  let closed = false;
  let telling: NodeJS.Timeout | undefined;
  const ready = Promise.withResolvers<void>();

  function nameNow(): string {
    return own ? `${own.proxy.name}.${own.proxy.namespace}` : '';
  }

  engine.onRefused((id, problems) => {
    if (!sync || sync.node.id !== id) return;
    sync.applied = undefined;
    dirty = true;
    refuse(sync.snapshot, problems);
  });

  function again(): Promise<void> {
    dirty = true;
    return kick();
  }

  /** One at a time. */
  function kick(): Promise<void> {
    more = true;
    working ??= work().finally(() => {
      working = undefined;
    });
    return working;
  }

  async function work(): Promise<void> {
    while (more && !closed) {
      more = false;
      try {
        while (!closed && (await step()));
      } catch (error) {
        log.error('what the node’s agent sent could not be acted on', { why: (error as Error).message });
      }
    }
  }

  /** Whether there may be more to do. */
  async function step(): Promise<boolean> {
    const batch = inbox.next(held);
    if (batch?.kinds[0] === 'about') {
      await takeAbout(batch);
      return true;
    }
    if (own === undefined || (batch === undefined && !dirty)) return false;
    const outcome = await take(own, batch?.staged ?? held, batch?.kinds ?? []);
    return outcome !== 'away' && batch !== undefined;
  }

  async function takeAbout({ staged, kinds }: Batch): Promise<void> {
    const about = staged.about.get(ABOUT)?.json as AboutProxy | undefined;
    held = { ...held, about: staged.about };
    inbox.accept(kinds);
    if (about !== undefined) await become(about);
    kept.changed(held);
  }

  async function become(about: AboutProxy): Promise<void> {
    const before = own?.proxy.id;
    own = ownMesh(about);
    if (sync && before !== own.proxy.id) {
      await engine.remove(sync.node.id);
      sync = undefined;
      told = undefined;
      dirty = held.listener.size > 0;
    }
    sync = Object.assign(sync ?? { applied: undefined, refused: undefined, snapshot: undefined }, { node: own.proxy });
  }

  async function take({ proxy }: OwnMesh, state: HeldState, kinds: readonly ResourceKind[]): Promise<'taken' | 'refused' | 'away'> {
    const started = performance.now();
    const now = sync as ProxySync;
    const fault = await tellSecrets(proxy.id, state);
    if (fault === 'away') return fault;
    if (fault && kinds.includes('secret')) {
      const [name, ...others] = inbox.news('secret');
      inbox.refuse('secret', others.length === 0 && name ? `${name}: ${fault.message}` : fault.message);
      return 'refused';
    }
    const snapshot = snapshotOf(state, proxy);
    if (now.applied?.version !== snapshot.version) {
      try {
        const result = onlyEndpointsDiffer(now.snapshot, snapshot)
          ? await engine.applyEndpoints(proxy.id, snapshot.version, snapshot.endpoints)
          : await engine.apply(snapshot);
        if (!result.applied) return refuseAll(snapshot, kinds, result.problems);
      } catch (error) {
        refuse(snapshot, [engineProblem(error)]);
        return 'away';
      }
      now.applied = { version: snapshot.version, at: Date.now() };
      took = performance.now() - started;
    }
    for (const kind of kinds) for (const name of [...inbox.news(kind), ...inbox.gone(kind)]) refused.delete(`${kind} ${name}`);
    if (kinds.length === 0) refused.clear();
    now.snapshot = snapshot;
    now.refused = refused.size === 0 ? undefined : now.refused;
    dirty = false;
    held = state;
    inbox.accept(kinds);
    if (kinds.includes('listener')) complete = true;
    if (complete) accepted();
    kept.changed(held);
    return 'taken';
  }

  /** What the engine said against them; undefined when it has them. */
  async function tellSecrets(id: string, state: HeldState): Promise<undefined | 'away' | { message: string }> {
    const list = await secrets.of(state);
    const hash = createHash('sha256').update(JSON.stringify(list)).digest('hex');
    if (told === hash || (told === undefined && list.length === 0)) return undefined;
    try {
      await engine.applySecrets(id, list);
      told = hash;
      secrets.failed(undefined);
      return undefined;
    } catch (error) {
      told = undefined;
      const { message } = error as Error;
      secrets.failed(message);
      return engine.status().state === 'running' ? { message } : 'away';
    }
  }

  /** Answers for what is refused; the rest is tried without it. */
  function refuseAll(snapshot: Snapshot, kinds: readonly ResourceKind[], problems: readonly Problem[]): 'refused' {
    const config = kinds.filter((kind) => (CONFIG_KINDS as readonly string[]).includes(kind));
    const nacks = nacksOf(problems, config, inbox.news);
    for (const { kind, reason } of nacks) {
      for (const name of inbox.news(kind)) {
        const mine = problems.find(({ origin }) => origin === `${kind} ${name}`);
        if (mine || problems.every(({ origin }) => !origin?.startsWith(`${kind} `)))
          refused.set(`${kind} ${name}`, mine ?? (problems[0] as Problem));
      }
      inbox.refuse(kind, reason);
    }
    // Something was taken away that the engine cannot do without: the server has no word to give it back.
    if (nacks.length === 0) inbox.accept(kinds);
    refuse(snapshot, problems);
    return 'refused';
  }

  /** Told once. */
  function refuse(snapshot: Snapshot | undefined, found: readonly Problem[]): void {
    if (!sync || !snapshot) return;
    const problems = locateRefusal(found, snapshot, own?.mesh);
    const same = sync.refused && JSON.stringify(sync.refused.problems) === JSON.stringify(problems);
    sync.refused = { version: snapshot.version, at: same ? (sync.refused?.at ?? 0) : Date.now(), problems };
    if (!same) notify({ type: 'proxy-refused', proxy: sync });
  }

  function accepted(): void {
    acceptedAt = Date.now();
    ready.resolve();
    telling ??= setTimeout(() => {
      telling = undefined;
      if (!closed && sync) notify({ type: 'accepted', config: config(), changed: [sync], removed: [] });
    }, TELL_AFTER_MS);
  }

  function config(): ConfigState {
    const resources = CONFIG_KINDS.reduce((sum, kind) => sum + held[kind].size, 0);
    return { state: complete ? 'accepted' : 'loading', at: acceptedAt, files: 0, resources, problems: away ? [away] : [], took };
  }

  function connect(registry: Awaited<ReturnType<typeof loadWire>>['registry']): void {
    ads = connectAds({
      socket,
      tokenFile: options.tokenFile,
      registry,
      version,
      opened: (stream) => inbox.opened(stream, held),
      received(_, response) {
        if (away) log.info('the node’s agent is back');
        away = undefined;
        inbox.received(response);
        void kick();
      },
      closed(reason) {
        inbox.closed();
        if (away?.message !== awayText(reason))
          log.warning(complete ? 'the node’s agent is away; what it sent last runs on' : 'the node’s agent cannot be asked', {
            at: socket,
            why: reason,
          });
        away = { severity: 'warning', rule: 'node-agent/away', message: awayText(reason), hint: 'it is asked again and again' };
      },
    });
  }

  const awayText = (reason: string): string => `${from} cannot be asked: ${reason}`;

  return {
    partial: true,
    origin: { paths: [], cluster: from, meshConfig: undefined, namespace: '', directory: process.cwd() },
    identity: { status: secrets.status, provide: () => Promise.resolve(), retry: () => Promise.resolve(), close: () => undefined },
    async start() {
      held = kept.read();
      const about = held.about.get(ABOUT)?.json as AboutProxy | undefined;
      if (about === undefined) held = EMPTY;
      else {
        await become(about);
        complete = true;
        await again();
      }
      const { registry } = await loadWire();
      if (closed) return;
      connect(registry);
      const late = new Promise<void>((resolve) => setTimeout(resolve, START_MS).unref());
      if (!complete) await Promise.race([ready.promise, late]);
    },
    async sync() {
      ads?.wake();
      await kick();
    },
    retry: () => kick(),
    restore: () => Promise.resolve(),
    config,
    proxies: () => (sync ? [sync] : []),
    mesh: () => own?.mesh,
    close() {
      closed = true;
      clearTimeout(telling);
      ads?.close();
      inbox.closed();
      secrets.close();
      kept.flush();
      ready.resolve();
    },
  };
}

function onlyEndpointsDiffer(a: Snapshot | undefined, b: Snapshot): boolean {
  return a !== undefined && a.listeners === b.listeners && a.routes === b.routes && a.clusters === b.clusters;
}

function engineProblem(error: unknown): Problem {
  const hint = error instanceof FairleadError ? error.next : undefined;
  return { severity: 'error', rule: 'engine/unavailable', message: (error as Error).message, ...(hint ? { hint } : {}) };
}
