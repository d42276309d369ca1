/**
 * Versions: hashes of what a snapshot holds. The hash of a list is the sum of the hashes of its members, so that a change of a few costs the
 * hashes of these. The module for hashing is loaded when the first version is asked for: commands that only show configuration never do.
 */
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';

/** 128 bits, in four numbers: sums of them, each modulo 2^32, do not depend on any order. Lists are sorted by name. */
type Sum = readonly [number, number, number, number];

const zero: Sum = [0, 0, 0, 0];

function plus(a: Sum, b: Sum, sign: 1 | -1): Sum {
  return [(a[0] + sign * b[0]) >>> 0, (a[1] + sign * b[1]) >>> 0, (a[2] + sign * b[2]) >>> 0, (a[3] + sign * b[3]) >>> 0];
}

/** @param place what tells members of several lists apart */
function hashOf(place: string, member: unknown): Sum {
  const bytes = process.getBuiltinModule('node:crypto').hash('sha256', `${place} ${JSON.stringify(member)}`, 'buffer');
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
}

/** What is hashed as one: equal content in equal key order gives equal hashes. */
type Members = ReadonlyMap<string, readonly object[]>;

/** The lists of a snapshot, as far as their versions are concerned. */
export interface Lists {
  listeners: readonly object[];
  routes: readonly RouteConfigurationJson[];
  clusters: readonly object[];
  endpoints: readonly object[];
}

/** A large mesh is in a few route configurations: their virtual hosts are hashed one by one. */
function membersOf({ listeners, routes, clusters, endpoints }: Lists): Members {
  const members = new Map<string, readonly object[]>([
    ['listeners', listeners],
    ['clusters', clusters],
    ['endpoints', endpoints],
  ]);
  for (const route of routes) {
    const { virtualHosts = [], ...rest } = route;
    members.set(`route ${route.name}`, virtualHosts);
    members.set(`rest of route ${route.name}`, [rest]);
  }
  return members;
}

function sumOf(place: string, members: readonly object[]): Sum {
  return members.reduce<Sum>((sum, member) => plus(sum, hashOf(place, member), 1), zero);
}

/** The sum of `after`, from that of `before`: only what stands in one of them and not in the other is hashed. */
function nextSum(place: string, sum: Sum, before: readonly object[], after: readonly object[]): Sum {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const gone = new Set(before.slice(start, before.length - end));
  let next = sum;
  for (const member of after.slice(start, after.length - end)) if (!gone.delete(member)) next = plus(next, hashOf(place, member), 1);
  for (const member of gone) next = plus(next, hashOf(place, member), -1);
  return next;
}

/** A version, and what the next one can be computed from. */
export interface Versioned {
  /** 16 hex digits. */
  version: string;
  sums: ReadonlyMap<string, Sum>;
  lists: Lists;
}

/** The version of a snapshot's lists; `before` is that of any other ones which have objects in common with them. */
export function versionOf(lists: Lists, before?: Versioned): Versioned {
  const sums = new Map<string, Sum>();
  const old = before && membersOf(before.lists);
  for (const [place, members] of membersOf(lists)) {
    const was = old?.get(place);
    const sum = before?.sums.get(place);
    if (was === undefined || sum === undefined) sums.set(place, sumOf(place, members));
    else sums.set(place, was === members ? sum : nextSum(place, sum, was, members));
  }
  const text = JSON.stringify([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { version: process.getBuiltinModule('node:crypto').hash('sha256', text, 'hex').slice(0, 16), sums, lists };
}
