/** What one stream knows of one type: what the client asked for, what it has, and what it refused. */
import type { XdsResource } from './resource.ts';
import type { ResourceType } from './resource-types.ts';

/** A version that the client has, with the resource when this process sent it. */
export interface Held {
  version: string;
  resource?: XdsResource;
}

export interface Refusal {
  version: string;
  reason: string;
}

/** A response that the client has not answered yet. There is one per type at a time; so what waits is only the newest state. */
export interface InFlight {
  nonce: string;
  version: string;
  /** Resources that the client did not have in this version. */
  changed: readonly XdsResource[];
  /** What the client had of these before; undefined where it had none. */
  before: ReadonlyMap<string, Held | undefined>;
  removed: readonly string[];
}

export interface Subscription {
  readonly url: string;
  /** An agent of ours, which remembers what it refused: it is told when that is not wanted any more. */
  readonly recalls: boolean;
  /** undefined for a type that is not served. */
  readonly type: ResourceType | undefined;
  wildcard: boolean;
  /** Names were asked for on this stream: from then on no names means nothing, no longer everything. */
  explicit: boolean;
  readonly names: Set<string>;
  /** By name: what was sent and not refused, and what the client brought from an earlier stream. */
  readonly sent: Map<string, Held>;
  /** To be answered whatever the client has. */
  readonly forced: Set<string>;
  /** An answer is due even when there is nothing to tell. */
  owed: boolean;
  readonly refused: Map<string, Refusal>;
  /** A refusal named no resource: these groups are tried one after the other, halved until the culprit is alone. */
  trial: string[][];
  /** State of the world: the version that the client claims to have from an earlier stream. */
  claimed: string;
  /** State of the world: the client brought a state along that is not known here. */
  resumed: boolean;
  /** Nothing is sent until the wanted set is another than this: what was refused cannot be told apart. */
  heldFor: unknown;
  /** The wanted set for which nothing was left to do. */
  cleanFor: unknown;
  inFlight: InFlight | undefined;
  /** Of the last response. */
  nonce: string;
  sentAt: { version: string; at: number } | undefined;
  acked: { version: string; at: number } | undefined;
  nack: { version: string; reason: string; resources: readonly string[]; at: number } | undefined;
}

/** A type that was just asked for. */
export function newSubscription(url: string, type: ResourceType | undefined, recalls = false): Subscription {
  return {
    url,
    recalls,
    type,
    wildcard: false,
    explicit: false,
    names: new Set(),
    sent: new Map(),
    forced: new Set(),
    owed: false,
    refused: new Map(),
    trial: [],
    claimed: '',
    resumed: false,
    heldFor: undefined,
    cleanFor: undefined,
    inFlight: undefined,
    nonce: '',
    sentAt: undefined,
    acked: undefined,
    nack: undefined,
  };
}

/** Ends the interest in a name. */
export function forget(sub: Subscription, name: string): void {
  sub.names.delete(name);
  sub.sent.delete(name);
  sub.forced.delete(name);
  sub.refused.delete(name);
}

/** Ends the wildcard: only named resources stay. */
export function forgetWildcard(sub: Subscription): void {
  sub.wildcard = false;
  for (const name of sub.sent.keys()) if (!sub.names.has(name)) forget(sub, name);
}
