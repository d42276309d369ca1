import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';

/** What a name resolved to. */
export interface Resolved {
  addresses: readonly string[];
  /** Milliseconds for which the answer holds; undefined when nobody said. */
  ttl: number | undefined;
}

/** Resolves a name to addresses of one family. Rejects, or resolves to none, when there are none. */
export type Resolver = (name: string, family: 4 | 6, wantTtl: boolean) => Promise<Resolved>;

/** The name servers have this long to tell a TTL, milliseconds. */
const TTL_PATIENCE = 2000;

/**
 * Asks the system first, which knows its hosts file; the name servers only for the time to live, which the system does not
 * tell, and for the addresses when the system fails.
 */
export function createSystemResolver(): Resolver {
  const servers = new dns.Resolver({ timeout: TTL_PATIENCE, tries: 1 });
  const query = async (name: string, family: 4 | 6): Promise<Resolved> => {
    const records = await (family === 4 ? servers.resolve4(name, { ttl: true }) : servers.resolve6(name, { ttl: true }));
    return { addresses: records.map((r) => r.address), ttl: Math.min(...records.map((r) => r.ttl)) * 1000 };
  };
  return async (name, family, wantTtl) => {
    if (isIP(name) !== 0) return { addresses: isIP(name) === family ? [name] : [], ttl: undefined };
    const asked = wantTtl && name !== 'localhost' ? query(name, family).catch(() => undefined) : undefined;
    try {
      const found = await dns.lookup(name, { all: true, family });
      const answer = await asked;
      const ttl = answer !== undefined && answer.ttl !== undefined && Number.isFinite(answer.ttl) ? answer.ttl : undefined;
      return { addresses: [...new Set(found.map((f) => f.address))], ttl };
    } catch (error) {
      const answer = await (asked ?? query(name, family).catch(() => undefined));
      if (answer === undefined || answer.addresses.length === 0) throw error;
      return answer;
    }
  };
}
