/**
 * What requests do to a subscription, by the letter of Envoy's "xDS REST and gRPC protocol"
 * (docs/root/api-docs/xds_protocol.rst): wildcards, explicit names, nonces.
 */
import type { DeltaDiscoveryRequest, DiscoveryRequest } from '#envoy-api/envoy/service/discovery/v3/discovery_pb.js';
import { forget, forgetWildcard, type Subscription } from './subscription.ts';

const WILDCARD = '*';

/** What a request says of the response in flight. */
export type Answer = 'ack' | { nack: string };

/**
 * Takes a state-of-the-world request. One with a stale nonce changes nothing: the client asks again with the newer one.
 *
 * @returns what it says of the response in flight, if it does
 */
export function takeSotw(sub: Subscription, request: DiscoveryRequest, first: boolean): Answer | undefined {
  const { responseNonce: nonce, errorDetail } = request;
  if (first) {
    sub.claimed = request.versionInfo;
    sub.resumed = request.versionInfo !== '';
  } else if (nonce !== sub.nonce) return undefined;
  subscribeSotw(sub, [...request.resourceNames, ...request.resourceLocators.map((l) => l.name)]);
  if (sub.inFlight === undefined || nonce !== sub.inFlight.nonce) return undefined;
  return errorDetail ? { nack: errorDetail.message } : 'ack';
}

function subscribeSotw(sub: Subscription, list: readonly string[]): void {
  const whole = sub.type?.whole ?? false;
  const names = new Set(list);
  const wildcard = whole && (names.delete(WILDCARD) || (names.size === 0 && !sub.explicit));
  if (list.length > 0) sub.explicit = true;
  for (const name of sub.names) {
    if (names.has(name)) continue;
    if (wildcard) sub.names.delete(name);
    else forget(sub, name);
    sub.cleanFor = undefined;
  }
  for (const name of names) {
    if (sub.names.has(name)) continue;
    sub.names.add(name);
    sub.forced.add(name);
    sub.cleanFor = undefined;
    if (whole) sub.owed = true;
  }
  if (wildcard === sub.wildcard) return;
  sub.cleanFor = undefined;
  if (wildcard) {
    sub.wildcard = true;
    sub.owed = true;
  } else forgetWildcard(sub);
}

/**
 * Takes an incremental request. Changes of the subscription count even when the nonce is stale.
 *
 * @returns what it says of the response in flight, if it does
 */
export function takeDelta(sub: Subscription, request: DeltaDiscoveryRequest, first: boolean): Answer | undefined {
  const subscribe = [...request.resourceNamesSubscribe, ...request.resourceLocatorsSubscribe.map((l) => l.name)];
  const unsubscribe = [...request.resourceNamesUnsubscribe, ...request.resourceLocatorsUnsubscribe.map((l) => l.name)];
  if (first) for (const [name, version] of Object.entries(request.initialResourceVersions)) sub.sent.set(name, { version });
  if (first && subscribe.length === 0 && unsubscribe.length === 0 && sub.type?.whole) startWildcard(sub);
  for (const name of subscribe) subscribeDelta(sub, name, first);
  for (const name of unsubscribe) unsubscribeDelta(sub, name);
  if (subscribe.length + unsubscribe.length > 0) sub.cleanFor = undefined;
  const { responseNonce: nonce, errorDetail } = request;
  if (sub.inFlight === undefined || nonce !== sub.inFlight.nonce) return undefined;
  return errorDetail ? { nack: errorDetail.message } : 'ack';
}

function startWildcard(sub: Subscription): void {
  if (sub.wildcard) return;
  sub.wildcard = true;
  // A client that brings nothing waits for an answer, be it empty.
  if (sub.sent.size === 0) sub.owed = true;
  sub.cleanFor = undefined;
}

function subscribeDelta(sub: Subscription, name: string, first: boolean): void {
  sub.explicit = true;
  if (name === WILDCARD) {
    startWildcard(sub);
    return;
  }
  sub.names.add(name);
  // The client may have forgotten what it asks for again; only what it says it has in its first request is passed over.
  if (!(first && sub.sent.has(name))) sub.forced.add(name);
}

function unsubscribeDelta(sub: Subscription, name: string): void {
  if (name === WILDCARD) forgetWildcard(sub);
  else if (sub.names.has(name) && sub.wildcard) {
    // It may be part of the wildcard; the client cannot know, and is told.
    sub.names.delete(name);
    sub.forced.add(name);
  } else forget(sub, name);
}
