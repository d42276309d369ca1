import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';

export interface TestCluster {
  name: string;
  /** `127.0.0.1:80` each; empty: no healthy host. */
  hosts: string[];
  /** No request may be under way: every one overflows. */
  overflow?: boolean;
  http2?: boolean;
}

const http2Options: AnyJson = {
  '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  ...{ explicitHttpConfig: { http2ProtocolOptions: {} } },
};

/** A STATIC cluster of fixed hosts. */
export function clusterJson({ name, hosts, overflow, http2 }: TestCluster): ClusterJson {
  return {
    name,
    type: 'STATIC',
    connectTimeout: '1s',
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: hosts.map((host) => {
            const [address, port] = host.split(':') as [string, string];
            return { endpoint: { address: { socketAddress: { address, portValue: Number(port) } } } };
          }),
        },
      ],
    },
    ...(overflow === true && { circuitBreakers: { thresholds: [{ maxRequests: 0, maxPendingRequests: 0 }] } }),
    ...(http2 === true && {
      typedExtensionProtocolOptions: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2Options,
      },
    }),
  };
}
