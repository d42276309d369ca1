import type { HeaderValueOptionJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { HeaderOperations, Headers } from '../../config/kinds/networking.ts';

/** The four lists that a route, a virtual host and a weighted cluster have. */
export interface HeaderLists {
  requestHeadersToAdd?: HeaderValueOptionJson[];
  requestHeadersToRemove?: string[];
  responseHeadersToAdd?: HeaderValueOptionJson[];
  responseHeadersToRemove?: string[];
}

/** `host` and `:authority` set the authority; Envoy lets no header operation touch them or another pseudo header. */
function isAuthority(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'host' || lower === ':authority';
}

function isPlain(name: string): boolean {
  return !name.startsWith(':') && !isAuthority(name);
}

function sorted(map: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** `set` before `add`, each sorted by name. */
function additions(operations: HeaderOperations | undefined): HeaderValueOptionJson[] {
  const out: HeaderValueOptionJson[] = [];
  for (const [key, value] of sorted(operations?.set)) {
    if (isPlain(key)) out.push({ header: { key, value }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' });
  }
  // APPEND_IF_EXISTS_OR_ADD is the default, and absent in JSON.
  for (const [key, value] of sorted(operations?.add)) if (isPlain(key)) out.push({ header: { key, value } });
  return out;
}

function removals(operations: HeaderOperations | undefined): string[] {
  return (operations?.remove ?? []).filter(isPlain);
}

/** The header operations of a rule or a destination; lists that would be empty are absent. */
export function headerLists(...levels: readonly (Headers | undefined)[]): HeaderLists {
  const out: HeaderLists = {};
  if (levels.every((h) => h === undefined)) return out;
  const put = <K extends keyof HeaderLists>(key: K, list: NonNullable<HeaderLists[K]>): void => {
    if (list.length > 0) out[key] = list;
  };
  put(
    'requestHeadersToAdd',
    levels.flatMap((h) => additions(h?.request)),
  );
  put(
    'requestHeadersToRemove',
    levels.flatMap((h) => removals(h?.request)),
  );
  put(
    'responseHeadersToAdd',
    levels.flatMap((h) => additions(h?.response)),
  );
  put(
    'responseHeadersToRemove',
    levels.flatMap((h) => removals(h?.response)),
  );
  return out;
}

/** The authority that request header operations ask for: `set` before `add`. */
export function authorityOf(headers: Headers | undefined): string | undefined {
  for (const map of [headers?.request?.set, headers?.request?.add]) {
    for (const [name, value] of sorted(map)) if (isAuthority(name)) return value;
  }
  return undefined;
}
