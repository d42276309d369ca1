/** One thing that the demo shows: it runs for a while, counts, and says in the end whether it happened. */
import type { Caller } from './caller.ts';
import type { Shop } from './services.ts';

export interface Stage {
  shop: Shop;
  /** As the front end `web`, through its proxy. */
  web: Caller;
  /** As the service `orders`, through its proxy. */
  orders: Caller;
  /** From outside, straight to the gateway or to any other port. */
  outside: Caller;
  /** `127.0.0.1:18000` */
  gateway: string;
  /** The port of the service `payments`, which its proxy has: `127.0.0.1:18090`. */
  payments: string;
  /** A counter of the front end's proxy, by Envoy's name. */
  stat(name: string): Promise<number>;
  /** Milliseconds since the curtain rose. */
  elapsed(): number;
  /** Resolves after this long, or at once when the demo is cut short. */
  sleep(ms: number): Promise<void>;
  /** True once the acts are to come to an end. */
  over(): boolean;
}

export interface Act {
  readonly title: string;
  /** The file of the shop's mesh that makes it happen. */
  readonly file: string;
  /** What has been counted so far, in a few words. */
  seen(): string;
  run(stage: Stage): Promise<void>;
  /** undefined when it happened, else what is missing. The last word is spoken when `run` has ended. */
  verdict(): string | undefined;
}

/** An act as it is shown, now or in the end. */
export interface ActResult {
  title: string;
  file: string;
  seen: string;
  happened: boolean;
  missing?: string;
}

export function shown(act: Act): ActResult {
  const missing = act.verdict();
  const { title, file } = act;
  return { title, file, seen: act.seen(), happened: missing === undefined, ...(missing === undefined ? {} : { missing }) };
}

/** Calls `once` at a steady pace until the acts are over. A slow answer does not hold back the next request. */
export async function steadily(stage: Stage, perSecond: number, once: () => Promise<void>): Promise<void> {
  const pending = new Set<Promise<void>>();
  const gap = 1000 / perSecond;
  for (let next = stage.elapsed(); !stage.over(); ) {
    const one = once().finally(() => pending.delete(one));
    pending.add(one);
    next += gap;
    await stage.sleep(Math.max(0, next - stage.elapsed()));
  }
  await Promise.all(pending);
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}
