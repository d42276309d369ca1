import type { Cluster_SlowStartConfigJson, ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { jsonNumber } from '../../../../src/upstream/json-number.ts';
import { milliseconds } from '../../../../src/upstream/milliseconds.ts';
import { leastRequest } from './least-request.ts';
import { maglev } from './maglev.ts';
import type { PickerDeps, PickerFactory } from './picker.ts';
import { random } from './random.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';
import type { SlowStart } from './slow-start.ts';

/** Envoy's default; larger rings are refused. */
const MAX_RING_SIZE = 8_388_608;

/** The picker that a cluster's `lb_policy` asks for, and whether it hashes. */
export function pickerFactory(cluster: ClusterJson, deps: PickerDeps): { make: PickerFactory; hashes: boolean } {
  const useHostname = cluster.commonLbConfig?.consistentHashingLbConfig?.useHostnameForHashing ?? false;
  switch (cluster.lbPolicy) {
    case 'LEAST_REQUEST': {
      const config = cluster.leastRequestLbConfig;
      const options = {
        choices: Math.max(2, jsonNumber(config?.choiceCount, 2)),
        activeBias: jsonNumber(config?.activeRequestBias?.defaultValue as number | undefined, 1),
        slowStart: slowStart(config?.slowStartConfig),
      };
      return { make: leastRequest(deps, options), hashes: false };
    }
    case 'RANDOM':
      return { make: random(deps), hashes: false };
    case 'RING_HASH': {
      const config = cluster.ringHashLbConfig;
      const minimumSize = jsonNumber(config?.minimumRingSize, 1024);
      return {
        make: ringHash(deps, { minimumSize, maximumSize: jsonNumber(config?.maximumRingSize, MAX_RING_SIZE), useHostname }),
        hashes: true,
      };
    }
    case 'MAGLEV':
      return { make: maglev(deps, { tableSize: jsonNumber(cluster.maglevLbConfig?.tableSize, 65_537), useHostname }), hashes: true };
    default:
      return { make: roundRobin(deps, slowStart(cluster.roundRobinLbConfig?.slowStartConfig)), hashes: false };
  }
}

function slowStart(config: Cluster_SlowStartConfigJson | undefined): SlowStart | undefined {
  const window = milliseconds(config?.slowStartWindow, 0);
  if (config === undefined || window <= 0) return undefined;
  const aggression = jsonNumber(config.aggression?.defaultValue as number | undefined, 1);
  return {
    window,
    aggression: aggression > 0 ? aggression : 1,
    minimum: jsonNumber(config.minWeightPercent?.value as number | undefined, 10) / 100,
  };
}
