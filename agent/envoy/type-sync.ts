/** How a proxy's Envoy stands with each type of xDS resources. */
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import type { Problem } from '../../src/errors.ts';
import type { TypeSync } from '../engine.ts';
import type { XdsClient, XdsClientType } from '../xds/clients.ts';

const TYPES: ReadonlyMap<string, TypeSync['type']> = new Map([
  ['Cluster', 'CDS'],
  ['ClusterLoadAssignment', 'EDS'],
  ['Listener', 'LDS'],
  ['RouteConfiguration', 'RDS'],
  ['Secret', 'SDS'],
]);

const ORDER: readonly TypeSync['type'][] = ['CDS', 'LDS', 'EDS', 'RDS', 'SDS'];

/** What the problems of a refusal name first. */
const KINDS: Readonly<Record<string, TypeSync['type']>> = { cluster: 'CDS', endpoint: 'EDS', listener: 'LDS', route: 'RDS', secret: 'SDS' };

/**
 * One row a type that the newest connection asked for. What was refused shows as NACK although the last good config was given again.
 *
 * @param taken the newest config was taken: refusals that a connection tells are of earlier ones
 * @param runs what the proxy has: a connection that was made anew is not sent it again
 * @param clients connections of the proxy; while a hot restart is under way there are two
 */
export function typeSyncs(
  clients: readonly XdsClient[],
  refusal: { at: number; problems: readonly Problem[] } | undefined,
  taken: boolean,
  runs: Snapshot | undefined,
): TypeSync[] {
  const newest = [...clients].sort((a, b) => b.connectedAt - a.connectedAt || b.id - a.id)[0];
  const reasons = new Map<TypeSync['type'], string>();
  for (const { origin, message } of refusal?.problems ?? []) {
    const type = KINDS[origin?.split(' ')[0] ?? ''];
    if (type) reasons.set(type, reasons.has(type) ? `${reasons.get(type)}; ${message}` : message);
  }
  return (newest?.types ?? [])
    .flatMap((t): TypeSync[] => {
      const type = TYPES.get(t.typeUrl.split('.').at(-1) ?? '');
      if (!type) return [];
      const reason = reasons.get(type) ?? (taken ? undefined : t.nack?.reason);
      if (reason !== undefined) return [{ type, state: 'NACK', since: refusal?.at ?? t.nack?.at ?? Date.now(), reason }];
      return [
        {
          type,
          ...(t.sent || !holds(type, runs)
            ? stateOf(t, newest?.connectedAt ?? 0, taken)
            : { state: 'SYNCED', since: newest?.connectedAt ?? 0 }),
          reason: undefined,
        },
      ];
    })
    .sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type));
}

function holds(type: TypeSync['type'], runs: Snapshot | undefined): boolean {
  const lists = { CDS: runs?.clusters, LDS: runs?.listeners, EDS: runs?.endpoints, RDS: runs?.routes, SDS: undefined };
  return (lists[type]?.length ?? 0) > 0;
}

/** What was refused meanwhile and then asked for no more leaves no acknowledgement behind. */
function stateOf({ sent, acked }: XdsClientType, connectedAt: number, taken: boolean): Pick<TypeSync, 'state' | 'since'> {
  if (!sent) return { state: 'NOT SENT', since: connectedAt };
  if (acked?.version === sent.version) return { state: 'SYNCED', since: acked.at };
  return { state: taken ? 'SYNCED' : 'STALE', since: sent.at };
}
