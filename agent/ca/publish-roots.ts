/** Keeps the trust bundle in a ConfigMap, where pods find it before they have anything. */
import { createBackOff, pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Log } from '../log.ts';

/** What is published. */
export interface PublishedBundle {
  /** PEM. */
  roots: string;
  sequence: number;
  /** Authorities whose certificates are to be renewed now. */
  renew: readonly string[];
}

export interface RootsPublisher {
  /** The newest trust bundle that pods which mount the ConfigMap have by now; 0: not known. */
  spread(): number;
  close(): void;
}

/** The key of Istio's own ConfigMap istio-ca-root-cert. */
const ROOTS_KEY = 'root-cert.pem';
/** `{"sequence": 3, "renew": ["0a1b2c3d4e5f"]}`: what agents without a connection to the CA follow a rotation by. */
const TRUST_KEY = 'trust.json';
const LOOK_MS = 2000;
/** Somebody may have edited it. */
const WRITE_ANYWAY_MS = 300_000;
/** kubelets look at least every minute, and cache for as long again. */
const SPREAD_MS = 600_000;

/** Writes whenever something changes, and tries again while that fails. */
export function publishRoots(
  client: ApiClient,
  { namespace, name }: { namespace: string; name: string },
  bundle: () => PublishedBundle,
  log: Log,
): RootsPublisher {
  const stop = new AbortController();
  const { signal } = stop;
  const backOff = createBackOff({ first: 1000, longest: 30_000 });
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}?fieldManager=fairlead-ca&force=true`;
  const configMap = `${namespace}/${name}`;
  /** The bundle before the newest one, which everybody has. */
  let before = 0;
  let newest: { sequence: number; since: number } | undefined;
  void run();
  return {
    spread: () => (newest && performance.now() - newest.since > SPREAD_MS ? newest.sequence : before),
    close: () => stop.abort(),
  };

  async function run(): Promise<void> {
    let written: string | undefined;
    let at = 0;
    let failed = false;
    while (!signal.aborted) {
      try {
        const { roots, sequence, renew } = bundle();
        const data = { [ROOTS_KEY]: roots, [TRUST_KEY]: `${JSON.stringify({ sequence, renew })}\n` };
        const now = JSON.stringify(data);
        if (now === written && performance.now() - at < WRITE_ANYWAY_MS) {
          await pause(LOOK_MS, signal);
          continue;
        }
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
        await client.request(path, { method: 'PATCH', body, contentType: 'application/apply-patch+yaml', signal });
        if (written !== now || failed) log.info('the roots are published', { configMap, sequence });
        if (newest?.sequence !== sequence) {
          // A CA that was begun anew cannot know for how long its roots are there already.
          before = newest && performance.now() - newest.since > SPREAD_MS ? newest.sequence : before;
          newest = { sequence, since: performance.now() };
        }
        written = now;
        at = performance.now();
        failed = false;
        backOff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (!failed) log.error('the roots are not published; it is tried again', { configMap, why: (error as Error).message });
        failed = true;
        await pause(backOff.next(), signal);
      }
    }
  }
}
