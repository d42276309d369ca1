/** What is known of one node, whether it is connected or not. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { EncodeMessage } from '../../src/envoy/encode.ts';
import type { Desired } from './desired.ts';
import { proxylessOf } from './proxyless.ts';
import type { XdsResource } from './resource.ts';
import type { XdsStream } from './stream.ts';

/** What a client of the node is to have and took: the proxy's own config, or what a gRPC client makes of it. */
export interface ProxyView {
  /** undefined until it is set: who asks until then waits. */
  readonly desired: Desired | undefined;
  /** The last version of each resource of a type that a client took, by name. */
  lastGood(url: string): Map<string, XdsResource>;
}

export interface ProxyState {
  /** The node id. */
  readonly id: string;
  desired: Desired | undefined;
  /** Kept for the first `desired`, which may come later. */
  secrets: readonly SecretJson[] | undefined;
  /** What agents of ours are told besides. */
  about: readonly object[] | undefined;
  readonly streams: Set<XdsStream>;
  /** For Envoy. */
  readonly envoy: ProxyView;
  /** For gRPC clients without a proxy. */
  readonly grpc: ProxyView;
}

export function newProxyState(id: string, encode: EncodeMessage): ProxyState {
  const state: ProxyState = {
    id,
    desired: undefined,
    secrets: undefined,
    about: undefined,
    streams: new Set(),
    envoy: viewOf(() => state.desired),
    grpc: viewOf(() => state.desired && proxylessOf(state.desired, encode)),
  };
  return state;
}

function viewOf(desired: () => Desired | undefined): ProxyView {
  const good = new Map<string, Map<string, XdsResource>>();
  return {
    get desired() {
      return desired();
    },
    lastGood(url) {
      let found = good.get(url);
      if (found === undefined) {
        found = new Map();
        good.set(url, found);
      }
      return found;
    },
  };
}
