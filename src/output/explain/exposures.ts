import type { Exposure } from '../../explain/exposures.ts';
import { percent } from '../../explain/percent.ts';
import { formatTable, type Table } from '../table.ts';
import { destinationText, positionText, resourceText } from './words.ts';

/** Every host, port and path, and where it leads; what repeats from row to row is left out. */
export function exposuresText(exposures: readonly Exposure[], proxy: string): string {
  if (exposures.length === 0) return `nothing can be asked of ${proxy}: no listener has routes\n`;
  return formatTable(exposureTable(exposures));
}

function exposureTable(exposures: readonly Exposure[]): Table {
  let before = '';
  const rows = exposures.map((e) => {
    const at = `${e.address} ${e.port} ${e.protocol} ${e.host}`;
    const repeated = at === before;
    before = at;
    return [
      repeated ? '' : e.host,
      repeated ? '' : `${e.port} ${e.protocol}`,
      e.path === '' ? '*' : e.path,
      e.conditions.length > 0 ? e.conditions.join(', ') : '-',
      e.answer ??
        e.destinations
          .map((d) => (e.destinations.length > 1 ? `${percent(d.share)} ${destinationText(d)}` : destinationText(d)))
          .join(', '),
      e.origin === undefined ? '-' : (positionText(e.origin) ?? resourceText(e.origin)),
    ];
  });
  return { columns: ['HOST', 'PORT', 'PATH', 'IF', 'LEADS TO', 'FROM'], rows };
}
