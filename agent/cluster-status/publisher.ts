/** Keeps an agent's summary in a ConfigMap of its own: written when it changed, and not oftener than every few seconds. */
import { createBackOff, pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Log } from '../log.ts';
import { applyObject } from './apply.ts';

/** Of the ConfigMaps that agents write. */
export const SUMMARY_LABEL = 'fairlead.dev/status';
export const SUMMARY_LABEL_VALUE = 'agent';
/** The key in them. */
export const SUMMARY_KEY = 'summary';
/** When an agent that is in no pod, and so leaves its ConfigMap behind when it dies, last said that it lives. */
export const RENEWED = 'fairlead.dev/renewed-at';

/** Milliseconds. */
export interface PublishTiming {
  /** Changes are gathered for so long. */
  gather: number;
  /** Longest spread over which the agents of a large cluster write after a change that all of them see. */
  spread: number;
  /** What somebody else changed is put right; agents without a pod say that they live. */
  renew: number;
}

export const PUBLISH_TIMING: PublishTiming = { gather: 2000, spread: 30_000, renew: 300_000 };
/** So that a thousand agents make about a hundred writes a second. */
const SPREAD_PER_NODE_MS = 10;

export interface PublisherOptions {
  client: ApiClient;
  namespace: string;
  /** Of the ConfigMap. */
  name: string;
  /** The pod that the ConfigMap goes with: `unknown` while its uid is; undefined: none. */
  owner(): { name: string; uid: string } | 'unknown' | undefined;
  /** What is to be written; undefined: nothing yet. */
  text(): string | undefined;
  /** How many nodes the cluster has. */
  nodes(): number;
  timing?: Partial<PublishTiming> | undefined;
  log: Log;
}

export interface Publisher {
  /** Something may have changed. */
  changed(): void;
  /** Ends it; a ConfigMap that goes with no pod is removed. */
  close(): Promise<void>;
}

/** Begins to publish. Never rejects: what fails is logged once, and tried again. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { client, namespace, name, log } = options;
  const timing = { ...PUBLISH_TIMING, ...options.timing };
  const stop = new AbortController();
  const backOff = createBackOff({ first: 1000, longest: 60_000 });
  let written: string | undefined;
  let wake = Promise.withResolvers<void>();
  let failed = false;
  let renewAt = 0;

  async function publish(): Promise<void> {
    const text = options.text();
    const owner = options.owner();
    if (text === undefined || owner === 'unknown') return;
    const due = Date.now() >= renewAt;
    if (text === written && !due) return;
    await write(text, owner);
    written = text;
    renewAt = Date.now() + timing.renew * (0.8 + 0.4 * Math.random());
  }

  async function write(text: string, owner: { name: string; uid: string } | undefined): Promise<void> {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace,
        labels: { [SUMMARY_LABEL]: SUMMARY_LABEL_VALUE, 'app.kubernetes.io/managed-by': 'fairlead' },
        ...(owner === undefined
          ? { annotations: { [RENEWED]: new Date().toISOString() } }
          : { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: owner.name, uid: owner.uid }] }),
      },
      data: { [SUMMARY_KEY]: text },
    };
    await applyObject(client, `/api/v1/namespaces/${namespace}/configmaps/${name}`, object, stop.signal);
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await publish();
        if (failed) log.info('what the proxies have taken is reported again');
        failed = false;
        backOff.reset();
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!failed) log.warning('what the proxies have taken cannot be reported; it is tried again', { why: (error as Error).message });
        failed = true;
        await pause(1000 + backOff.next(), stop.signal);
        continue;
      }
      await Promise.race([wake.promise, pause(timing.renew, stop.signal)]);
      wake = Promise.withResolvers();
      await pause(timing.gather + Math.random() * Math.min(timing.spread, options.nodes() * SPREAD_PER_NODE_MS), stop.signal);
    }
  }

  const running = run();
  return {
    changed: () => wake.resolve(),
    async close() {
      stop.abort();
      await running;
      // Those of pods go with them.
      if (written === undefined || options.owner() !== undefined) return;
      await client
        .request(`/api/v1/namespaces/${namespace}/configmaps/${name}`, { method: 'DELETE', timeoutMs: 3000 })
        .catch(() => undefined);
    },
  };
}
