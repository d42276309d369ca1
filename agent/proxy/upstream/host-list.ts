import type { HostSpec } from '../../../src/upstream/endpoint-specs.ts';
import { UpstreamHost } from './host.ts';

/** The hosts of one cluster by address, in the order of the last update. */
export class HostList implements Iterable<UpstreamHost> {
  #byAddress = new Map<string, UpstreamHost>();
  readonly #cluster: string;

  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  [Symbol.iterator](): IterableIterator<UpstreamHost> {
    return this.#byAddress.values();
  }

  get(address: string): UpstreamHost | undefined {
    return this.#byAddress.get(address);
  }

  /** Makes these the hosts. Those whose address is known stay the same objects; of a repeated address the first counts. */
  replace(specs: readonly HostSpec[]): { added: UpstreamHost[]; removed: UpstreamHost[]; changed: boolean } {
    const next = new Map<string, UpstreamHost>();
    const added: UpstreamHost[] = [];
    let changed = false;
    for (const spec of specs) {
      if (next.has(spec.address)) continue;
      let host = this.#byAddress.get(spec.address);
      if (host === undefined) {
        host = new UpstreamHost(this.#cluster, spec);
        added.push(host);
      } else if (host.assign(spec)) changed = true;
      next.set(spec.address, host);
    }
    const removed = [...this.#byAddress.values()].filter((h) => !next.has(h.address));
    this.#byAddress = next;
    return { added, removed, changed: changed || added.length > 0 || removed.length > 0 };
  }

  add(spec: HostSpec): UpstreamHost {
    const host = new UpstreamHost(this.#cluster, spec);
    this.#byAddress.set(host.address, host);
    return host;
  }

  delete(host: UpstreamHost): void {
    this.#byAddress.delete(host.address);
  }

  /** The host goes by another address from now on. */
  readdress(host: UpstreamHost, spec: HostSpec): void {
    this.#byAddress.delete(host.address);
    host.address = spec.address;
    host.assign(spec);
    this.#byAddress.set(host.address, host);
  }
}
