import type { Snapshot } from '../../../src/envoy/snapshot.ts';

/** An engine as the contract drives it: it runs the proxies of one case at a time. */
export interface ContractEngine {
  readonly name: 'embedded' | 'envoy';
  /** Runs these proxies and no others, and has them listening when it resolves. */
  run(snapshots: ReadonlyMap<string, Snapshot>): Promise<void>;
  /** Counters and gauges of a proxy by Envoy's names. */
  stats(proxy: string): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}
