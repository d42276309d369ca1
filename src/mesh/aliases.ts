import type { Service } from './types.ts';

/** A service that is still being put together. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Follows ExternalName services to the service they stand for. Chains are flattened, loops dropped; `aliasOf` of what leads nowhere
 * stays as it was written. The services pointed at get their `aliases`, sorted by namespace, then host. Changes `services` in place.
 */
export function linkAliases(services: readonly Draft<Service>[]): void {
  const aliases = services.filter((s) => s.resolution === 'alias');
  if (aliases.length === 0) return;
  const byHost = new Map<string, Draft<Service>[]>();
  for (const service of services) {
    const list = byHost.get(service.host);
    if (list) list.push(service);
    else byHost.set(service.host, [service]);
  }
  const next = new Map(aliases.map((alias) => [alias.host, alias.aliasOf as string]));
  const found = new Map<string, { host: string; namespace: string }[]>();
  for (const alias of aliases) {
    const seen = new Set([alias.host]);
    let target = alias.aliasOf as string;
    while (next.has(target) && !seen.has(target)) {
      seen.add(target);
      target = next.get(target) as string;
    }
    if (seen.has(target)) continue;
    alias.aliasOf = target;
    if (!byHost.has(target)) continue;
    const list = found.get(target) ?? [];
    list.push({ host: alias.host, namespace: alias.namespace });
    found.set(target, list);
  }
  for (const [host, list] of found) {
    list.sort((a, b) => (a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
    for (const service of byHost.get(host) ?? []) service.aliases = list;
  }
}
