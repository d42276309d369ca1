/**
 * Keeps a copy of a collection in step: a list, then a watch that goes on from it, for ever. Resumes by resource version after a cut or a
 * silence, and lists anew when the API server has forgotten that version (410), or from time to time.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { ApiStatusError, isExpired } from './api-error.ts';
import { createBackOff, pause } from './back-off.ts';
import type { ApiClient, WatchEvent } from './client.ts';
import { listObjects } from './list.ts';
import { isUnreachable, type Reachability } from './reachability.ts';

type Item = Record<string, unknown>;

/** Milliseconds. */
export interface WatchTiming {
  /** API servers send a bookmark a minute, most of the time: a watch that says nothing for longer may be dead, whatever TCP thinks, and is opened again. */
  silence: number;
  /** A watch is ended by the API server after this and half as much again, so that they are spread over its instances. */
  lifetime: number;
  /** A list that proves the copy right, even if an event was ever lost. */
  resync: number;
  /** How often kinds are looked for that were not there; ten times that when all are. */
  discover: number;
  /** Longest pause after an answer that is an error. */
  longest: number;
}

export const WATCH_TIMING: WatchTiming = { silence: 90_000, lifetime: 300_000, resync: 1_800_000, discover: 30_000, longest: 30_000 };

export interface CollectionOptions {
  client: ApiClient;
  path: string;
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
  reachability: Reachability;
  timing: WatchTiming;
  signal: AbortSignal;
  /** What is kept of an object, made page by page. */
  keep(object: Item): Item;
  /** All that there is now. */
  listed(objects: readonly Item[]): void;
  put(object: Item): void;
  dropped(object: Item): void;
  /** A watch is accepted: what failed before is well again. */
  opened(): void;
  /** Went wrong; it is tried again. Return true to give the collection up. */
  failed(error: Error): boolean;
}

/** Resolves when the signal ends it, or when it is given up. Never rejects. */
export async function watchCollection(options: CollectionOptions): Promise<void> {
  const { signal, reachability, timing } = options;
  const backOff = createBackOff({ first: 200, longest: timing.longest });
  /** Where a watch goes on; undefined: with a list. */
  let version: string | undefined;
  let listedAt = 0;
  while (!signal.aborted) {
    const started = performance.now();
    try {
      if (version === undefined || Date.now() - listedAt > timing.resync * (1 + 0.2 * Math.random())) {
        version = await list(options);
        listedAt = Date.now();
      }
      const events = await openWatch(options, version);
      reachability.succeeded();
      options.opened();
      for await (const { type, object } of events) {
        if (type === 'ERROR') throw asError(object);
        version = versionOf(object) ?? version;
        if (type === 'DELETED') options.dropped(options.keep(object));
        else if (type !== 'BOOKMARK') options.put(options.keep(object));
      }
      // Ended in good order. One that ends at once, again and again, must not be asked without a pause.
      if (performance.now() - started > 1000) backOff.reset();
      else await pause(backOff.next(), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        version = undefined;
        await pause(backOff.next(), signal);
        continue;
      }
      if (options.failed(error as Error)) return;
      if (isUnreachable(error as Error)) await reachability.wait(error as Error);
      else await pause(Math.max(backOff.next(), retryAfter(error)), signal);
    }
  }
}

async function list({
  client,
  path,
  fieldSelector,
  labelSelector,
  signal,
  keep,
  listed,
  reachability,
}: CollectionOptions): Promise<string> {
  let found: Item[] = [];
  const { resourceVersion } = await listObjects(
    client,
    path,
    { fieldSelector, labelSelector, signal },
    {
      begin: () => {
        found = [];
      },
      add: (object) => void found.push(keep(object)),
    },
  );
  reachability.succeeded();
  listed(found);
  return resourceVersion;
}

function openWatch(
  { client, path, fieldSelector, labelSelector, signal, timing }: CollectionOptions,
  version: string,
): Promise<AsyncIterable<WatchEvent>> {
  const seconds = Math.ceil((timing.lifetime * (1 + Math.random() / 2)) / 1000);
  const query = new URLSearchParams({ watch: '1', allowWatchBookmarks: 'true', resourceVersion: version, timeoutSeconds: String(seconds) });
  if (fieldSelector) query.set('fieldSelector', fieldSelector);
  if (labelSelector) query.set('labelSelector', labelSelector);
  return client.watch(`${path}?${query}`, { signal, silenceMs: timing.silence });
}

function versionOf(object: Item): string | undefined {
  return (object['metadata'] as { resourceVersion?: string } | undefined)?.resourceVersion;
}

/** An event of type ERROR carries a Status. */
function asError(status: Item): Error {
  const { code, reason, message } = status as { code?: number; reason?: string; message?: string };
  return new ApiStatusError(code ?? 500, reason ?? '', message ?? 'the watch ended with an error');
}

const retryAfter = (error: unknown): number => (error instanceof ApiStatusError ? (error.retryAfterMs ?? 0) : 0);
