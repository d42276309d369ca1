import type { Credentials } from './credentials/credentials.ts';
import { freePort } from './ports.ts';

const PORT = /\$port\(([\w.-]+)\)/g;
const CLUSTER = /\$cluster\(([\w*-]+)(?:\.([\w-]+))?(?::([^)/]+))?(?:\/([\w-]+))?\)/g;

/** Fills `$port(NAME)` and `$cluster(…)` into texts, always with the same port for the same name. */
export interface Placeholders {
  /** Chooses ports for all names in a text. */
  prepare(text: string): Promise<void>;
  port(name: string): Promise<number>;
  fill(text: string): string;
}

export function placeholders(known: Iterable<readonly [string, number]>, credentials?: Pick<Credentials, 'fill'>): Placeholders {
  const ports = new Map(known);
  const port = async (name: string): Promise<number> => {
    const found = ports.get(name) ?? (await freePort());
    ports.set(name, found);
    return found;
  };
  return {
    port,
    async prepare(text) {
      for (const [, name = ''] of text.matchAll(PORT)) await port(name);
    },
    fill(text) {
      const withPorts = (credentials?.fill(text) ?? text).replace(PORT, (_all, name: string) => String(ports.get(name)));
      return withPorts.replace(
        CLUSTER,
        (_all, name: string, namespace = 'default', at = '80', subset = '') =>
          `cluster.outbound|${at}|${subset}|${name}.${namespace}.svc.cluster.local;`,
      );
    },
  };
}

/** The same value with all its texts filled in. */
export function filled<T>(value: T, { fill }: Pick<Placeholders, 'fill'>): T {
  if (typeof value === 'string') return fill(value) as T;
  if (Array.isArray(value)) return value.map((v: unknown) => filled(v, { fill })) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([k, v]) => [fill(k), filled(v as unknown, { fill })]);
  return Object.fromEntries(entries) as T;
}
