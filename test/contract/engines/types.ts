import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';

/** An engine as the contract drives it: it runs the proxies of one case at a time. */
export interface ContractEngine {
  readonly name: 'embedded' | 'envoy';
  /**
   * Runs these proxies and no others, and has them listening when it resolves.
   * @param secrets of each of them, by the same names
   */
  run(snapshots: ReadonlyMap<string, Snapshot>, secrets: ReadonlyMap<string, readonly SecretJson[]>): Promise<void>;
  /** Counters and gauges of a proxy by Envoy's names. */
  stats(proxy: string): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}
