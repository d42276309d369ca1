/** A control plane that takes a proxy's stream and has nothing new to say: what an idle istiod is to Envoy. */
import { Server, ServerCredentials } from '@grpc/grpc-js';

export interface SilentAds {
  readonly port: number;
  close(): void;
}

const raw = { serialize: (bytes: Buffer): Buffer => bytes, deserialize: (bytes: Buffer): Buffer => bytes };

export async function startSilentAds(): Promise<SilentAds> {
  const server = new Server();
  const method = (name: string) => ({
    path: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: raw.serialize,
    requestDeserialize: raw.deserialize,
    responseSerialize: raw.serialize,
    responseDeserialize: raw.deserialize,
  });
  const names = ['StreamAggregatedResources', 'DeltaAggregatedResources'];
  const listen = (call: { on(event: string, act: () => void): void; end(): void }): void => {
    call.on('data', () => undefined);
    call.on('error', () => undefined);
    call.on('end', () => call.end());
  };
  server.addService(Object.fromEntries(names.map((name) => [name, method(name)])), Object.fromEntries(names.map((name) => [name, listen])));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { port, close: () => server.forceShutdown() };
}

/** What a bootstrap needs to speak to it, as Istio's names it. */
export const adsOf = (port: number): { ads: object; cluster: object } => ({
  ads: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
  },
  cluster: {
    name: 'xds-grpc',
    type: 'STATIC',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: 'xds-grpc',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }] }],
    },
  },
});
