/** A client of xDS that does what it is told, to play the protocol's cases. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '#envoy-api/envoy/service/discovery/v3/discovery_pb.js';
import { RESOURCE_TYPES, type ResourceKind } from '../../../agent/xds/resource-types.ts';

const ADS = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';
const DEADLINE_MS = 20_000;

/** A response in short. */
export interface Seen {
  kind: string;
  version: string;
  nonce: string;
  /** Delta: names. State of the world: how many. */
  resources: readonly string[];
  versions: Readonly<Record<string, string>>;
  removed: readonly string[];
}

export interface RawStream {
  send(kind: ResourceKind | 'other', request: Record<string, unknown>): void;
  /** The next response. Throws after 5 s. */
  next(): Promise<Seen>;
  /** Responses that came and nobody asked for. */
  readonly waiting: readonly Seen[];
  readonly ended: Promise<grpc.StatusObject>;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  close(): void;
}

export function urlOf(kind: ResourceKind | 'other'): string {
  return kind === 'other' ? 'type.googleapis.com/envoy.service.runtime.v3.Runtime' : RESOURCE_TYPES[kind].url;
}

const kinds = new Map<string, string>(Object.values(RESOURCE_TYPES).map((t) => [t.url, t.kind]));

/** @param node the node's id; it goes with the first request. @param path of a method other than the aggregated one */
export function rawStream(
  target: string,
  protocol: 'sotw' | 'delta',
  node = 'node',
  path?: string,
  credentials = grpc.credentials.createInsecure(),
  token?: string,
): RawStream {
  const client = new grpc.Client(target, credentials, { 'grpc.max_receive_message_length': -1 });
  const method = path ?? `${ADS}${protocol === 'sotw' ? 'Stream' : 'Delta'}AggregatedResources`;
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(
    method,
    (b) => b,
    (b) => b,
    metadata,
  );
  const waiting: Seen[] = [];
  let wake: (() => void) | undefined;
  let first = true;
  call.on('data', (bytes: Buffer) => {
    waiting.push(protocol === 'sotw' ? seenSotw(bytes) : seenDelta(bytes));
    wake?.();
  });
  call.on('error', () => undefined);
  const ended = new Promise<grpc.StatusObject>((resolve) => call.on('status', resolve));
  return {
    send(kind, request) {
      const whole = { typeUrl: urlOf(kind), ...(first && node ? { node: { id: node } } : {}), ...request };
      first = false;
      call.write(
        Buffer.from(
          protocol === 'sotw'
            ? toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, whole as MessageInitShape<typeof DiscoveryRequestSchema>))
            : toBinary(
                DeltaDiscoveryRequestSchema,
                create(DeltaDiscoveryRequestSchema, whole as MessageInitShape<typeof DeltaDiscoveryRequestSchema>),
              ),
        ),
      );
    },
    async next() {
      if (waiting.length === 0)
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('no response came')), DEADLINE_MS);
          wake = () => {
            clearTimeout(timer);
            wake = undefined;
            resolve();
          };
        });
      return waiting.shift()!;
    },
    waiting,
    ended,
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    close() {
      call.cancel();
      client.close();
    },
  };
}

function seenSotw(bytes: Buffer): Seen {
  const { typeUrl, versionInfo, nonce, resources } = fromBinary(DiscoveryResponseSchema, bytes);
  // The first field of each served type is its name.
  const names = resources.map(({ value }) => Buffer.from(value.subarray(2, 2 + value[1]!)).toString());
  return { kind: kinds.get(typeUrl) ?? typeUrl, version: versionInfo, nonce, resources: names, versions: {}, removed: [] };
}

function seenDelta(bytes: Buffer): Seen {
  const { typeUrl, systemVersionInfo, nonce, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  return {
    kind: kinds.get(typeUrl) ?? typeUrl,
    version: systemVersionInfo,
    nonce,
    resources: resources.map((r) => r.name),
    versions: Object.fromEntries(resources.map((r) => [r.name, r.version])),
    removed: removedResources,
  };
}
