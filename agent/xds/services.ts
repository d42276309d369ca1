/** The gRPC services of the protocol: the aggregated one, and one for each type. */
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from '#envoy-api/envoy/service/discovery/v3/discovery_pb.js';
import { refuseCall } from './refuse-call.ts';
import { RESOURCE_TYPES, type ResourceType } from './resource-types.ts';
import type { Protocol, XdsCall, XdsRequest, XdsStream } from './stream.ts';

/** What a client says of itself, and whose configuration it has been given. */
export interface XdsNode {
  id: string;
  /** A gRPC client without a proxy. */
  proxyless: boolean;
  /** An agent of ours: it answers for listeners when it has their routes. */
  agent: boolean;
}

export interface GrpcService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

/** Whose configuration a client gets, or why it gets none, with gRPC's status code. */
export type Admission = { proxy: string } | { refused: string; code: number };

export interface DiscoveryHandlers {
  /** @param nodeId who the client says it is. Never rejects. */
  admit(nodeId: string, call: XdsCall): Admission | Promise<Admission>;
  /** A client has said who it is. */
  open(protocol: Protocol, call: XdsCall, node: XdsNode, only: string | undefined): XdsStream;
  closed(stream: XdsStream): void;
}

/** How our own agents in pods call themselves (`user_agent_name`). */
export const AGENT = 'fairlead';

const AGGREGATED = {
  name: 'envoy.service.discovery.v3.AggregatedDiscoveryService',
  sotw: 'StreamAggregatedResources',
  delta: 'DeltaAggregatedResources',
};

export function discoveryServices(handlers: DiscoveryHandlers): GrpcService[] {
  const single = Object.values<ResourceType>(RESOURCE_TYPES).flatMap(({ service, url }) =>
    service ? [serviceOf(service, url, handlers)] : [],
  );
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

function serve(protocol: Protocol, call: XdsCall, only: string | undefined, { admit, open, closed }: DiscoveryHandlers): void {
  let stream: XdsStream | undefined;
  let over = false;
  /** Requests that came while it is found out who asks. */
  let early: XdsRequest[] | undefined;
  const end = (): void => {
    over = true;
    if (stream === undefined) return;
    stream.end();
    closed(stream);
    stream = undefined;
  };
  const begin = (admission: Admission, node: XdsRequest['node'], requests: readonly XdsRequest[]): void => {
    if (over) return;
    if ('refused' in admission) {
      refuseCall(call, admission.refused, admission.code);
      return;
    }
    const proxyless = node?.metadata?.['GENERATOR'] === 'grpc';
    stream = open(protocol, call, { id: admission.proxy, proxyless, agent: node?.userAgentName === AGENT }, only);
    for (const request of requests) stream.take(request);
  };
  call.on('data', (request: XdsRequest) => {
    if (over) return;
    if (stream !== undefined) return stream.take(request);
    if (early !== undefined) {
      early.push(request);
      return;
    }
    // Only the first request of a stream need carry the node.
    const { node } = request;
    if (!node?.id) return refuseCall(call, 'the first request names no node');
    const admission = admit(node.id, call);
    if (!(admission instanceof Promise)) return begin(admission, node, [request]);
    early = [request];
    // A stranger cannot fill the memory while it is asked who it is.
    call.pause();
    void admission.then((found) => {
      begin(found, node, early ?? []);
      early = undefined;
      call.resume();
    });
  });
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('close', end);
  call.on('error', end);
}
