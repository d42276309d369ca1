/** Status in a cluster's objects: this agent tells what its proxies have taken, and one of all agents writes what they add up to. */

import { isNotTaken } from '../../src/config/source-object.ts';
import { pause } from '../../src/kubernetes/back-off.ts';
import { createApiClient } from '../../src/kubernetes/client.ts';
import { openKubeConfig } from '../../src/kubernetes/kube-config.ts';
import { holdLease } from '../../src/kubernetes/lease.ts';
import { knownCertificates } from '../../src/mesh/gateway-api/status.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import type { Controller } from '../controller.ts';
import type { Log } from '../log.ts';
import { type Leader, type LeaderOptions, lead } from './leader.ts';
import { ownPlace, podUid } from './own-place.ts';
import { problemOrigin } from './problem-origin.ts';
import { createPublisher, type PublishTiming } from './publisher.ts';
import { summarize } from './summary.ts';
import { trackTaken } from './track-taken.ts';

/** Of which cluster, and where the agents' reports are. */
export interface StatusChoice {
  readonly context: string | undefined;
  /** The installation's. */
  readonly namespace: string;
}

export interface ClusterStatusOptions extends StatusChoice {
  readonly controller: Pick<Controller, 'mesh' | 'proxies' | 'config'>;
  readonly version: string;
  readonly log: Log;
  /** For tests. */
  readonly timing?: { publish?: Partial<PublishTiming>; leaseMs?: number } & Pick<LeaderOptions, 'settle' | 'rate' | 'gatherMs'>;
}

export interface ClusterStatus {
  /** The controller has something to tell. @param applied it has handed out what its mesh has */
  changed(applied: boolean): void;
  /** Lets go of the lease; takes some seconds at most. */
  close(): Promise<void>;
}

export const STATUS_LEASE = 'fairlead-status';
/** Agents that wait for the lease look that often: there are as many as nodes, and twenty a second are enough. */
const LOOK_MS = 10_000;
const LOOK_PER_NODE_MS = 50;
const CLOSE_MS = 3000;

/** Certificates that listeners of the mesh's Gateways name, and that are there. */
function certificatesOf(mesh: Mesh | undefined): readonly string[] {
  const named = mesh?.gatewayApi.gateways.flatMap(({ listeners }) => listeners.flatMap((l) => l.certificates)) ?? [];
  if (mesh === undefined || named.length === 0) return [];
  const there = knownCertificates(mesh);
  return [...new Set(named)].filter((name) => there.has(name)).sort();
}

/** Begins to report, and to ask for the lease of whoever writes. Throws E_KUBECONFIG. */
export function startClusterStatus(options: ClusterStatusOptions): ClusterStatus {
  const { controller, namespace, version, log, timing = {} } = options;
  const access = openKubeConfig(options.context);
  const client = createApiClient(access);
  const place = ownPlace(access.namespace);
  const tracker = trackTaken(controller);
  tracker.look(controller.config().state === 'accepted');
  const nodes = (): number => controller.mesh()?.ofKind('Node').length ?? 1;
  const elsewhere = place.pod !== undefined && place.pod.namespace !== namespace;
  // What an object goes with has to be in its own namespace; and who may write there, may write of everybody's proxies.
  if (elsewhere)
    log.warning('what the proxies have taken is not reported: this pod is in another namespace than the installation', {
      pod: `${place.pod?.namespace}/${place.name}`,
      installation: namespace,
    });
  const publisher = elsewhere
    ? undefined
    : createPublisher({
        client,
        namespace,
        name: `fairlead-status-${place.name}`.slice(0, 253),
        owner() {
          if (place.pod === undefined) return undefined;
          const uid = process.env['POD_UID'] || podUid(controller.mesh(), place.pod);
          return uid === undefined ? 'unknown' : { name: place.pod.name, uid };
        },
        text() {
          const config = controller.config();
          if (config.state === 'loading') return undefined;
          const proxies = controller.proxies();
          const certificates = proxies.some(({ node }) => node.type === 'router') ? certificatesOf(controller.mesh()) : [];
          return JSON.stringify(summarize({ version, proxies, config, taken: tracker.taken(), certificates }));
        },
        nodes,
        timing: timing.publish,
        log,
      });
  let leader: Leader | undefined;
  const lease = elsewhere
    ? undefined
    : holdLease({
        client,
        namespace,
        name: STATUS_LEASE,
        identity: place.pod === undefined ? `${place.name}_${process.pid}` : place.name,
        lookMs: Math.max(LOOK_MS, nodes() * LOOK_PER_NODE_MS),
        ...(timing.leaseMs !== undefined && { durationMs: timing.leaseMs, lookMs: timing.leaseMs / 4 }),
        log: { info: (message, fields) => log.debug(message, fields), warning: (message, fields) => log.warning(message, fields) },
        async held(signal) {
          log.info('this agent writes the status of the cluster’s objects');
          leader = lead(
            {
              client,
              namespace,
              instance: place.name,
              mesh: controller.mesh,
              problems: () => controller.config().problems,
              log,
              ...timing,
            },
            signal,
          );
          await leader.ended;
          leader = undefined;
        },
      });
  /** What a status follows from, besides what agents report: endpoints are no part of it. */
  let seen: readonly unknown[] = [];
  function changed(applied: boolean): void {
    tracker.look(applied);
    publisher?.changed();
    const { state, problems } = controller.config();
    const wrong = problems.filter((p) => isNotTaken(p)).map((p) => `${problemOrigin(p)} ${p.message}`);
    const now = [controller.mesh()?.routingVersion, state, wrong.join('\n')];
    if (now.some((value, i) => value !== seen[i])) leader?.changed();
    seen = now;
  }
  return {
    changed,
    async close() {
      const late = new AbortController();
      // Nobody waits for an API server that is away: leases run out, and ConfigMaps go with their pods.
      await Promise.race([Promise.all([publisher?.close(), lease?.close()]), pause(CLOSE_MS, late.signal)]);
      late.abort();
      client.close();
    },
  };
}
