import type { PortPosture, Posture } from '../../analysis/posture/types.ts';
import { formatPosition } from '../../config/resource.ts';
import { columns } from '../columns.ts';

/** From this width on the table says who the callers are and which hosts lead in; below only how it is. */
const WIDE = 120;

/** The posture for people: a table, the weakest first, then the reasons of every point with their places. */
export function formatPosture({ ports }: Posture, width: number): string {
  if (ports.length === 0) return 'there are no workloads in the input\n';
  const wide = width >= WIDE;
  const head = ['SCORE', 'WORKLOAD', 'PORT', 'MTLS', ...(wide ? ['CLIENTS'] : []), 'CALLERS', 'OUTSIDE'];
  const table = columns([head, ...ports.map((port) => (wide ? wideRow(port, width) : narrowRow(port, width)))]);
  return `${table}\n\n${ports.map((port) => paragraph(port, width, wide)).join('\n')}`;
}

const portOf = ({ port, protocol }: PortPosture): string => (port === undefined ? '-' : `${port} ${protocol}`);

function callers({ access }: PortPosture): string {
  return access.callers === 'some' ? access.who.join(', ') : access.callers;
}

function outside({ exposures }: PortPosture): string {
  if (exposures.length === 0) return 'no';
  return [
    ...new Set(exposures.map(({ by, tls, hosts }) => (by === 'service' ? 'directly' : `${tls ? 'TLS' : 'plain'} ${hosts.join(' ')}`))),
  ].join(', ');
}

const clip = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

function narrowRow(port: PortPosture, width: number): string[] {
  const [way] = port.exposures;
  const kind = way === undefined ? 'no' : way.by === 'service' ? 'directly' : port.exposures.every(({ tls }) => tls) ? 'TLS' : 'plain';
  return [String(port.score), clip(port.workload, Math.max(12, width - 58)), portOf(port), port.mtls.mode, port.access.callers, kind];
}

function wideRow(port: PortPosture, width: number): string[] {
  const { clients } = port;
  const mode = clients.conflict ? `${clients.mode} (fails)` : clients.mode;
  const room = Math.floor((width - 62) / 3);
  return [
    String(port.score),
    clip(port.workload, room),
    portOf(port),
    port.mtls.mode,
    mode,
    clip(callers(port), room),
    clip(outside(port), room),
  ];
}

/** Each point with its reason, and where that stands. */
function paragraph(port: PortPosture, width: number, short: boolean): string {
  const { clients } = port;
  const lines = [`${port.workload}, port ${portOf(port)}: ${port.score} of 100`];
  if (!short) lines.push(...wrap(`callers: ${callers(port)}; outside: ${outside(port)}`, width));
  for (const { part, points, of, reason, references } of port.points) {
    lines.push(...wrap(`${String(points).padStart(2)}/${of} ${part}: ${reason}`, width));
    const shown = references.slice(0, 5);
    for (const { position, origin } of shown) lines.push(`        ${formatPosition(position)} ${origin}`);
    if (references.length > shown.length) lines.push(`        and ${references.length - shown.length} more`);
  }
  if (clients.conflict) {
    lines.push(...wrap(`clients use ${clients.mode}, which the workload does not accept: their calls fail`, width));
    for (const { position, origin } of clients.references) lines.push(`        ${formatPosition(position)} ${origin}`);
  }
  return `${lines.join('\n')}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '  ';
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = '       ';
    }
    line += line.endsWith(' ') ? word : ` ${word}`;
  }
  return [...lines, line];
}
