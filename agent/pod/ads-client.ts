/**
 * The connection of an agent in a pod to its node's agent: incremental ADS over a Unix socket, made anew for as long as it is wanted, with
 * the pod's token read anew each time. https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { create, fromBinary, type MessageInitShape, type Registry, toBinary, toJson } from '@bufbuild/protobuf';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from '#envoy-api/envoy/service/discovery/v3/discovery_pb.js';
import { createBackOff, pause } from '../../src/kubernetes/back-off.ts';
import { RESOURCE_TYPES, type ResourceKind, resourceTypeOf } from '../xds/resource-types.ts';
import { AGENT } from '../xds/services.ts';

/** One resource as it is held. */
export interface Held {
  /** The server's, by content. */
  version: string;
  /** Protobuf JSON. */
  json: object;
}

export interface AdsResponse {
  kind: ResourceKind;
  nonce: string;
  resources: ReadonlyMap<string, Held>;
  removed: readonly string[];
}

export interface AdsStream {
  /** Asks for names, or gives them up; `initial`: what is held of a type, by name, with the stream's first request of that type. */
  ask(kind: ResourceKind, wish: { subscribe?: readonly string[]; unsubscribe?: readonly string[]; initial?: Record<string, string> }): void;
  /** Takes a response; with a reason: refuses it. */
  answer(kind: ResourceKind, nonce: string, reason?: string): void;
}

export interface AdsClientOptions {
  /** Path of the Unix socket. */
  socket: string;
  tokenFile: string;
  registry: Registry;
  version: string;
  /** A stream is there: what is wanted is to be asked for. */
  opened(stream: AdsStream): void;
  received(stream: AdsStream, response: AdsResponse): void;
  /** The stream is over. Called again while no other can be had. */
  closed(reason: string): void;
}

export interface AdsClient {
  readonly connected: boolean;
  /** Tries now, if it waits. */
  wake(): void;
  close(): void;
}

const METHOD = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
/** Milliseconds between tries: many pods come back together when their node's agent does. */
const BACK_OFF = { first: 100, longest: 3000 };
const CHANNEL = {
  // A stream that is lost is made anew here, with a new token; the channel's own pauses would only add to it.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
};

type Call = ClientDuplexStream<Buffer, Buffer>;

/** Connects, and goes on until it is closed. */
export function connectAds(options: AdsClientOptions): AdsClient {
  const { socket, tokenFile, registry, version } = options;
  const stop = new AbortController();
  const backOff = createBackOff(BACK_OFF);
  let waking = new AbortController();
  let connected = false;

  async function once(): Promise<string> {
    const token = (await readFile(tokenFile, 'utf8').catch((error: NodeJS.ErrnoException) => error)) as string | NodeJS.ErrnoException;
    if (typeof token !== 'string') return `the token cannot be read from ${tokenFile}: ${token.code ?? token.message}`;
    if (token.trim() === '') return `the token file ${tokenFile} is empty`;
    const grpc = await import('@grpc/grpc-js');
    const client = new grpc.Client(`unix:${socket}`, grpc.credentials.createInsecure(), CHANNEL);
    try {
      const metadata = new grpc.Metadata();
      metadata.set('authorization', `Bearer ${token.trim()}`);
      const same = (bytes: Buffer): Buffer => bytes;
      const call = client.makeBidiStreamRequest<Buffer, Buffer>(METHOD, same, same, metadata);
      const cancel = (): void => call.cancel();
      stop.signal.addEventListener('abort', cancel);
      try {
        return await follow(call);
      } finally {
        stop.signal.removeEventListener('abort', cancel);
      }
    } finally {
      connected = false;
      client.close();
    }
  }

  function follow(call: Call): Promise<string> {
    const stream = streamOf(call, version);
    let fault: string | undefined;
    call.on('data', (bytes: Buffer) => {
      connected = true;
      backOff.reset();
      try {
        const response = responseOf(fromBinary(DeltaDiscoveryResponseSchema, bytes), registry);
        if (response) options.received(stream, response);
      } catch (error) {
        fault = `the node's agent sent what cannot be read: ${(error as Error).message}`;
        call.cancel();
      }
    });
    call.on('error', () => undefined);
    options.opened(stream);
    return new Promise((resolve) => {
      call.on('status', ({ code, details }) => resolve(fault ?? reasonOf(code, details)));
    });
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      const reason = await once().catch((error: Error) => error.message);
      if (stop.signal.aborted) return;
      options.closed(reason);
      waking = new AbortController();
      await pause(backOff.next(), AbortSignal.any([stop.signal, waking.signal]));
    }
  }
  void run();

  return {
    get connected() {
      return connected;
    },
    wake: () => waking.abort(),
    close: () => stop.abort(),
  };
}

function streamOf(call: Call, version: string): AdsStream {
  let first = true;
  const send = (request: Record<string, unknown>): void => {
    const node = {
      id: hostname() || 'pod',
      userAgentName: AGENT,
      userAgentVersionType: { case: 'userAgentVersion' as const, value: version },
    };
    const message = create(DeltaDiscoveryRequestSchema, { ...request, ...(first ? { node } : {}) } as MessageInitShape<
      typeof DeltaDiscoveryRequestSchema
    >);
    first = false;
    // A stream that is over takes nothing; what becomes of it is told by its status.
    if (call.writable) call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message)));
  };
  return {
    ask(kind, { subscribe = [], unsubscribe = [], initial = {} }) {
      send({
        typeUrl: RESOURCE_TYPES[kind].url,
        resourceNamesSubscribe: [...subscribe],
        resourceNamesUnsubscribe: [...unsubscribe],
        initialResourceVersions: initial,
      });
    },
    answer(kind, nonce, reason) {
      const error = reason === undefined ? {} : { errorDetail: { code: 3, message: reason } };
      send({ typeUrl: RESOURCE_TYPES[kind].url, responseNonce: nonce, ...error });
    },
  };
}

/** undefined for types that nobody asked for. Throws on what is no such message. */
function responseOf(message: DeltaDiscoveryResponse, registry: Registry): AdsResponse | undefined {
  const type = resourceTypeOf(message.typeUrl);
  if (type === undefined) return undefined;
  const schema = registry.getMessage(type.message);
  const resources = new Map<string, Held>();
  for (const { name, version, resource } of message.resources) {
    if (schema === undefined || resource === undefined) throw new Error(`${name} is empty`);
    resources.set(name, { version, json: toJson(schema, fromBinary(schema, resource.value), { registry }) as object });
  }
  return { kind: type.kind, nonce: message.nonce, resources, removed: message.removedResources };
}

/** gRPC's status as a reason. */
function reasonOf(code: number, details: string): string {
  if (code === 0) return "the node's agent ended the stream";
  // Node's own errors stand at the end of grpc-js's.
  const socket = /(connect E\w+)/.exec(details)?.[1];
  return socket ? `nobody answers there (${socket})` : details || `gRPC status ${code}`;
}
