/** One stream of a client: its subscriptions, and the loop that sends what is due, one response at a time, as fast as the client reads. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { DeltaDiscoveryRequest, DiscoveryRequest } from '#envoy-api/envoy/service/discovery/v3/discovery_pb.js';
import { acknowledge, refuse } from './answers.ts';
import { type Desired, type ResourceSet, setVersion } from './desired.ts';
import { deltaResponse, sotwResponse } from './encode-response.ts';
import type { Plan } from './plan.ts';
import { isEncoded, prepare } from './prepare.ts';
import type { ProxyState, ProxyView } from './proxy-state.ts';
import { refuseCall } from './refuse-call.ts';
import { takeDelta, takeSotw } from './requests.ts';
import type { XdsResource } from './resource.ts';
import { endpointName, RESOURCE_TYPES, resourceTypeOf } from './resource-types.ts';
import { nextStep, type Step, wantedOf } from './schedule.ts';
import { type Held, newSubscription, type Subscription } from './subscription.ts';

export type Protocol = 'sotw' | 'delta';
export type XdsRequest = DiscoveryRequest | DeltaDiscoveryRequest;
export type XdsCall = ServerDuplexStream<XdsRequest, Buffer>;

export interface XdsStream {
  readonly id: number;
  readonly protocol: Protocol;
  readonly peer: string;
  readonly connectedAt: number;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly proxy: ProxyState;
  readonly view: ProxyView;
  readonly proxyless: boolean;
  /** An agent of ours. */
  readonly agent: boolean;
  /** Nothing is in flight and nothing left to send. */
  readonly idle: boolean;
  take(request: XdsRequest): void;
  /** There may be something to send. */
  wake(): void;
  /** The call is over. */
  end(): void;
}

/** What happens on a stream, for those who watch. */
export interface StreamEvents {
  answered(stream: XdsStream, sub: Subscription, answer: 'ack' | 'nack'): void;
  idle(stream: XdsStream): void;
}

/** Types that a client may ask for on one stream; more are nonsense or an attack. */
const MOST_TYPES = 32;
/** A delta response may be split. Envoy is much faster with few large ones: clusters after its first response are warmed one by one. */
const CHUNK_BYTES = 16 << 20;

let lastId = 0;

export interface StreamOptions {
  protocol: Protocol;
  call: XdsCall;
  proxy: ProxyState;
  /** A gRPC client without a proxy. */
  proxyless: boolean;
  /** An agent of ours. */
  agent: boolean;
  /** The URL of the only type of the stream; undefined on an aggregated one. */
  only: string | undefined;
  events: StreamEvents;
}

export function createStream({ protocol, call, proxy, proxyless, agent, only, events }: StreamOptions): XdsStream {
  const subscriptions = new Map<string, Subscription>();
  const view = proxyless ? proxy.grpc : proxy.envoy;
  let sending = false;
  let again = false;
  let over = false;
  let nonces = 0;

  function take(request: XdsRequest): void {
    const url = request.typeUrl || only || '';
    let sub = subscriptions.get(url);
    const first = sub === undefined;
    if (sub === undefined) {
      if (subscriptions.size === MOST_TYPES) {
        refuseCall(call, `more than ${MOST_TYPES} types on one stream`);
        return;
      }
      sub = newSubscription(url, resourceTypeOf(url), agent);
      subscriptions.set(url, sub);
    }
    const answer =
      protocol === 'sotw' ? takeSotw(sub, request as DiscoveryRequest, first) : takeDelta(sub, request as DeltaDiscoveryRequest, first);
    if (answer !== undefined) onAnswer(sub, answer === 'ack' ? undefined : answer.nack);
    wake();
  }

  function onAnswer(sub: Subscription, reason: string | undefined): void {
    const lastGood = view.lastGood(sub.url);
    if (reason === undefined) acknowledge(sub, lastGood, Date.now());
    else refuse(sub, reason, view.desired && wantedOf(view.desired, sub), lastGood, Date.now(), agent);
    events.answered(stream, sub, reason === undefined ? 'ack' : 'nack');
  }

  /** Envoy takes a changed cluster into use only when its endpoints come anew, though they are the same ("Resource warming"). */
  function rewarm(changed: readonly XdsResource[], before: ReadonlyMap<string, Held | undefined>): void {
    const endpoints = subscriptions.get(RESOURCE_TYPES.endpoint.url);
    for (const { name, json } of changed) {
      const service = endpointName(json);
      if (endpoints === undefined || service === undefined || before.get(name) === undefined) continue;
      if (!endpoints.names.has(service)) continue;
      endpoints.forced.add(service);
      endpoints.cleanFor = undefined;
    }
  }

  function wake(): void {
    again = true;
    if (!sending && !over) void run();
  }

  async function run(): Promise<void> {
    sending = true;
    try {
      while (again && !over) {
        again = false;
        // Requests that came together are looked at together.
        await new Promise(setImmediate);
        for (let step = await next(); step && !over; step = await next()) await send(step);
      }
    } finally {
      sending = false;
    }
    if (!over && stream.idle) events.idle(stream);
  }

  async function next(): Promise<Step | undefined> {
    for (;;) {
      // A newer state may have come while the last one was encoded.
      const { desired } = view;
      if (desired === undefined || over) return undefined;
      const claimed = claims(desired);
      const due =
        claimed === undefined
          ? nextStep({ protocol, subscriptions, desired, lastGood: view.lastGood, isEncoded, routesWithListeners: agent })
          : { encode: claimed };
      if (due === undefined) break;
      if ('plan' in due) return due;
      await prepare([due.encode]);
    }
    // The client is busy with what it has.
    if (only === undefined) void prepareAhead();
    return undefined;
  }

  /** Encodes what the client will ask for next. */
  async function prepareAhead(): Promise<void> {
    for (const kind of ['endpoint', 'listener', 'route'] as const) {
      const set = view.desired?.sets[kind];
      if (set !== undefined && !over) await prepare([set]);
    }
  }

  /** State of the world: honours what the client claims to have; a set that must be encoded before it can be told. */
  function claims(desired: Desired): ResourceSet | undefined {
    if (protocol !== 'sotw') return undefined;
    for (const sub of subscriptions.values()) {
      if (sub.claimed === '') continue;
      const set = wantedOf(desired, sub);
      if (set !== undefined && !isEncoded(set)) return set;
      honourClaim(sub);
    }
    return undefined;
  }

  /** A reconnecting client that asks for everything and has this very version need not get it again. */
  function honourClaim(sub: Subscription): void {
    const set = wantedOf(view.desired!, sub);
    if (sub.claimed === '' || set === undefined) return;
    if (sub.wildcard && sub.names.size === 0 && sub.claimed === setVersion(set)) {
      for (const [name, resource] of set) {
        sub.sent.set(name, { version: resource.version, resource });
        view.lastGood(sub.url).set(name, resource);
      }
      sub.owed = false;
    }
    sub.claimed = '';
  }

  async function send({ sub, plan }: Step): Promise<void> {
    const all = plan.whole ?? plan.changed;
    const chunk = protocol === 'delta' ? upTo(all, CHUNK_BYTES) : all;
    const changed = plan.whole ? plan.changed : chunk;
    const nonce = String(++nonces);
    const version = protocol === 'sotw' ? setVersion(wantedOf(view.desired!, sub) ?? new Map()) : view.desired!.version;
    const head = { url: sub.url, version, nonce };
    const bytes = protocol === 'sotw' ? sotwResponse(head, chunk) : deltaResponse(head, chunk, plan.removed);
    note(sub, { ...plan, changed }, head);
    if (!call.write(bytes)) await drained();
  }

  function note(sub: Subscription, plan: Plan, { version, nonce }: { version: string; nonce: string }): void {
    const before = new Map(plan.changed.map(({ name }) => [name, sub.sent.get(name)]));
    for (const resource of plan.changed) {
      sub.sent.set(resource.name, { version: resource.version, resource });
      sub.forced.delete(resource.name);
    }
    for (const name of plan.removed) {
      if (sub.recalls) sub.refused.delete(name);
      sub.sent.delete(name);
      sub.forced.delete(name);
    }
    if (plan.whole) sub.forced.clear();
    sub.owed = false;
    sub.cleanFor = undefined;
    sub.nonce = nonce;
    sub.sentAt = { version, at: Date.now() };
    sub.inFlight = { nonce, version, changed: plan.changed, before, removed: plan.removed };
    if (sub.type === RESOURCE_TYPES.cluster) rewarm(plan.changed, before);
  }

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        call.off('drain', done);
        call.off('close', done);
        call.off('cancelled', done);
        resolve();
      };
      call.on('drain', done).on('close', done).on('cancelled', done);
    });
  }

  const stream: XdsStream = {
    id: ++lastId,
    protocol,
    peer: peerOf(call),
    connectedAt: Date.now(),
    subscriptions,
    proxy,
    view,
    proxyless,
    agent,
    get idle() {
      if (sending || again || over) return false;
      for (const { inFlight } of subscriptions.values()) if (inFlight) return false;
      return true;
    },
    take,
    wake,
    end() {
      over = true;
    },
  };
  return stream;
}

function upTo(resources: readonly XdsResource[], bytes: number): readonly XdsResource[] {
  let size = 0;
  const end = resources.findIndex(({ any }) => {
    size += any.byteLength;
    return size >= bytes;
  });
  return end < 0 ? resources : resources.slice(0, end + 1);
}

/** `unix` for the socket, which has no addresses. */
function peerOf(call: XdsCall): string {
  const peer = call.getPeer();
  return peer === 'unknown' ? 'unix' : peer;
}
