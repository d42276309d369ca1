import { getOrMake } from './memo.ts';
import type { RegistryMemo } from './model-memo.ts';
import type { Service } from './types.ts';

type Links = Partial<Pick<Service, 'aliasOf' | 'aliases'>>;

/** A copy with links; equal links of one service give the same object. */
function linked(service: Service, links: Links, memo: RegistryMemo['linked']): Service {
  const copies = getOrMake(memo, service, () => new Map<string, Service>());
  return getOrMake(copies, JSON.stringify(links), () => ({ ...service, ...links }));
}

/**
 * Follows ExternalName services to the service they stand for. Chains are flattened, loops dropped; `aliasOf` of what leads nowhere
 * stays as it was written. The services pointed at get their `aliases`, sorted by namespace, then host.
 *
 * @returns the services, with copies in place of those that changed
 */
export function linkAliases(services: readonly Service[], memo: RegistryMemo['linked']): readonly Service[] {
  const aliases = services.filter((s) => s.resolution === 'alias');
  if (aliases.length === 0) return services;
  const hosts = new Set(services.map((s) => s.host));
  const links = new Map<Service, Links>();
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
    if (target !== alias.aliasOf) links.set(alias, { aliasOf: target });
    if (!hosts.has(target)) continue;
    const list = found.get(target) ?? [];
    list.push({ host: alias.host, namespace: alias.namespace });
    found.set(target, list);
  }
  for (const list of found.values()) {
    list.sort((a, b) => (a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
  }
  for (const service of services) {
    const list = found.get(service.host);
    if (list !== undefined) links.set(service, { ...links.get(service), aliases: list });
  }
  return services.map((service) => {
    const own = links.get(service);
    return own === undefined ? service : linked(service, own, memo);
  });
}
