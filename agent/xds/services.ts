/** The gRPC services of the protocol: the aggregated one, and one for each type. */
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from '#envoy-api/envoy/service/discovery/v3/discovery_pb.js';
import { PERMISSION_DENIED, refuseCall } from './refuse-call.ts';
import { RESOURCE_TYPES } from './resource-types.ts';
import type { Protocol, XdsCall, XdsRequest, XdsStream } from './stream.ts';

export interface GrpcService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export interface DiscoveryHandlers {
  /** Whether a client may have a node's configuration. */
  mayHave(nodeId: string, call: XdsCall): boolean;
  /** A client has said who it is. */
  open(protocol: Protocol, call: XdsCall, node: { id: string; proxyless: boolean }, only: string | undefined): XdsStream;
  closed(stream: XdsStream): void;
}

const AGGREGATED = {
  name: 'envoy.service.discovery.v3.AggregatedDiscoveryService',
  sotw: 'StreamAggregatedResources',
  delta: 'DeltaAggregatedResources',
};

export function discoveryServices(handlers: DiscoveryHandlers): GrpcService[] {
  const single = Object.values(RESOURCE_TYPES).map(({ service, url }) => serviceOf(service, url, handlers));
  return [serviceOf(AGGREGATED, undefined, handlers), ...single];
}

function serviceOf({ name, sotw, delta }: typeof AGGREGATED, only: string | undefined, handlers: DiscoveryHandlers): GrpcService {
  return {
    definition: { [sotw]: method(name, sotw, DiscoveryRequestSchema), [delta]: method(name, delta, DeltaDiscoveryRequestSchema) },
    implementation: {
      [sotw]: (call: XdsCall) => serve('sotw', call, only, handlers),
      [delta]: (call: XdsCall) => serve('delta', call, only, handlers),
    },
  };
}

/** Responses are put together in binary form already. */
function method(service: string, name: string, request: DescMessage): MethodDefinition<XdsRequest, Buffer> {
  return {
    path: `/${service}/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes) => fromBinary(request, bytes) as unknown as XdsRequest,
    responseSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
  };
}

function serve(protocol: Protocol, call: XdsCall, only: string | undefined, { mayHave, open, closed }: DiscoveryHandlers): void {
  let stream: XdsStream | undefined;
  let over = false;
  const end = (): void => {
    over = true;
    if (stream === undefined) return;
    stream.end();
    closed(stream);
    stream = undefined;
  };
  call.on('data', (request: XdsRequest) => {
    if (over) return;
    // Only the first request of a stream need carry the node.
    if (stream === undefined) {
      const id = request.node?.id;
      if (!id) return refuseCall(call, 'the first request names no node');
      if (!mayHave(id, call)) return refuseCall(call, `the certificate is not that of ${id}`, PERMISSION_DENIED);
      stream = open(protocol, call, { id, proxyless: request.node?.metadata?.['GENERATOR'] === 'grpc' }, only);
    }
    stream.take(request);
  });
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('close', end);
  call.on('error', end);
}
