import type { Exchange } from './exchange.ts';

/** Whether a switch of protocols may be asked for. Envoy: without an upgrade configuration for it 403, and the connection is not used again. */
export function mayUpgrade(exchange: Exchange): boolean {
  const { decision, manager } = exchange;
  const type = exchange.upgrade!;
  if (decision!.kind === 'not-found' && type === 'connect') return true;
  const allowed =
    decision!.kind === 'route'
      ? (decision!.action.upgrades.get(type) ?? manager.settings.upgrades.get(type) ?? false)
      : manager.settings.upgrades.get(type) === true;
  if (allowed) return true;
  manager.stats.rqRejectedUpgrade.value++;
  exchange.connection.closeAfterResponse();
  exchange.localReply(403, '', 'upgrade_failed');
  return false;
}
