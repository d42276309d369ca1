import type { Explanation } from './types.ts';

/** What so many equal requests come to. */
export interface Draws {
  readonly times: number;
  readonly seed: number;
  /** By outcome, in the explanation's order; counts add up to `times`. */
  readonly outcomes: readonly { readonly id: string; readonly count: number }[];
  /** Requests that an injected fault delayed. */
  readonly delayed: number;
  /** Copies sent, by cluster. */
  readonly mirrored: readonly { readonly cluster: string; readonly count: number }[];
  /** By outcome and address, as far as weights decide. */
  readonly endpoints: readonly { readonly outcome: string; readonly address: string; readonly count: number }[];
}

/** Uniform numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Throws the dice of an explanation so many times. */
export function draw({ outcomes }: Explanation, times: number, seed: number): Draws {
  const random = seededRandom(seed);
  const counts = outcomes.map(() => 0);
  const mirrored = new Map<string, number>();
  const endpoints = new Map<string, { outcome: string; address: string; count: number }>();
  let delayed = 0;
  for (let i = 0; i < times; i++) {
    const at = pick(outcomes, random());
    const outcome = outcomes[at];
    if (outcome === undefined) break;
    counts[at]!++;
    if (outcome.delay !== undefined && random() < outcome.delay.share) delayed++;
    if (outcome.type !== 'forward') continue;
    for (const { cluster, share } of outcome.mirrors) if (random() < share) mirrored.set(cluster, (mirrored.get(cluster) ?? 0) + 1);
    const hosts = outcome.destination?.endpoints.filter((e) => e.share > 0) ?? [];
    const host = hosts[pick(hosts, random())];
    if (host === undefined) continue;
    const key = `${outcome.id} ${host.address}`;
    const known = endpoints.get(key);
    if (known === undefined) endpoints.set(key, { outcome: outcome.id, address: host.address, count: 1 });
    else known.count++;
  }
  return {
    times,
    seed,
    outcomes: outcomes.map(({ id }, i) => ({ id, count: counts[i]! })),
    delayed,
    mirrored: [...mirrored].map(([cluster, count]) => ({ cluster, count })),
    endpoints: [...endpoints.values()].sort((a, b) => (a.outcome === b.outcome ? b.count - a.count : a.outcome < b.outcome ? -1 : 1)),
  };
}

/** The place that a number in [0, 1) falls on. */
function pick(of: readonly { readonly share: number }[], random: number): number {
  let end = 0;
  for (const [i, { share }] of of.entries()) {
    end += share;
    if (random < end) return i;
  }
  return of.length - 1;
}
