import type { PortPosture, Posture } from '../../analysis/posture/types.ts';
import { formatPosition } from '../../config/resource.ts';
import { columns } from '../columns.ts';

/** From this width on the table says who the callers are and which hosts lead in; below only how it is. */
const WIDE = 120;
/** From this width on who the workloads themselves are, too. */
const WIDEST = 160;

/** The posture for people: a table, the weakest first, then the reasons of every point with their places. */
export function formatPosture({ ports, clientsOnly }: Posture, width: number): string {
  if (ports.length === 0 && clientsOnly.length === 0) return 'there are no workloads in the input\n';
  const wide = width >= WIDE;
  const parts = ports.map((port) => paragraph(port, width, wide));
  if (ports.length > 0) parts.unshift(`${table(ports, width)}\n${unguardedNote(ports, width)}`);
  if (clientsOnly.length > 0) {
    const lines = clientsOnly.flatMap(({ workload, identity }) => wrap(`${workload}, as ${identity}`, width));
    parts.push(`no service leads to these, they call others only:\n${lines.join('\n')}\n`);
  }
  return parts.join('\n');
}

function table(ports: readonly PortPosture[], width: number): string {
  const [wide, widest] = [width >= WIDE, width >= WIDEST];
  const head = ['SCORE', 'WORKLOAD', 'PORT', ...(widest ? ['IDENTITY'] : []), 'MTLS', ...(wide ? ['CLIENTS'] : []), 'CALLERS', 'OUTSIDE'];
  const rows = ports.map((port) => (wide ? wideRow(port, widest) : narrowRow(port)));
  const yielding = ['WORKLOAD', 'IDENTITY', ...(wide ? ['CALLERS', 'OUTSIDE'] : [])]
    .map((name) => head.indexOf(name))
    .filter((i) => i >= 0);
  const full = fitTo([head, ...rows], yielding, width);
  // Names that are cut look alike: all go without their kind, which the paragraphs have, before any is cut.
  if (rows.every(([, name], i) => full[i + 1]![1] === name)) return columns(full, GAP);
  for (const row of rows) row[1] = row[1]!.slice(row[1]!.indexOf(' ') + 1);
  return columns(fitTo([head, ...rows], yielding, width), GAP);
}

/** Between two columns. */
const GAP = 3;

/** Rows cut in the yielding columns until they fit a width: those that need less than their share leave the rest to the others. */
function fitTo(rows: readonly (readonly string[])[], yielding: readonly number[], width: number): string[][] {
  const needs = rows[0]!.map((_, i) => rows.reduce((most, row) => Math.max(most, row[i]!.length), 0));
  let room = width - GAP * (needs.length - 1) - needs.reduce((sum, need, i) => sum + (yielding.includes(i) ? 0 : need), 0);
  const limits = new Map<number, number>();
  const byNeed = [...yielding].sort((a, b) => needs[a]! - needs[b]!);
  for (const [done, i] of byNeed.entries()) {
    const limit = Math.max(8, Math.min(needs[i]!, Math.floor(room / (byNeed.length - done))));
    limits.set(i, limit);
    room -= limit;
  }
  return rows.map((row) => row.map((cell, i) => clip(cell, limits.get(i) ?? cell.length)));
}

/** What is said of all unguarded ports, once. */
function unguardedNote(ports: readonly PortPosture[], width: number): string {
  const count = ports.filter(({ mtls }) => mtls.mode === 'unguarded').length;
  if (count === 0) return '';
  const what =
    count === 1 ? '1 port is unguarded: no proxy is in front of it' : `${count} ports are unguarded: no proxy is in front of them`;
  const next = 'A Sidecar whose ingress has the port puts the proxy there; one that captures traffic has the annotation';
  const text = `${what}, and no policy holds there. ${next} sidecar.istio.io/interceptionMode.`;
  return `\n${wrap(text, width, '', '').join('\n')}\n`;
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

/** `shop/reviews`, as accounts are written in policies; all of it when it is in another form. */
function account({ identity = '-' }: PortPosture): string {
  return identity.replace(/^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/, '$1/$2');
}

const clip = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

function narrowRow(port: PortPosture): string[] {
  const [way] = port.exposures;
  const kind = way === undefined ? 'no' : way.by === 'service' ? 'directly' : port.exposures.every(({ tls }) => tls) ? 'TLS' : 'plain';
  return [String(port.score), port.workload, portOf(port), port.mtls.mode, port.access.callers, kind];
}

function wideRow(port: PortPosture, widest: boolean): string[] {
  const { clients } = port;
  const mode = clients.conflict ? `${clients.mode} (fails)` : clients.mode;
  const who = widest ? [account(port)] : [];
  return [String(port.score), port.workload, portOf(port), ...who, port.mtls.mode, mode, callers(port), outside(port)];
}

/** Each point with its reason, and where that stands. */
function paragraph(port: PortPosture, width: number, short: boolean): string {
  const { clients } = port;
  const lines = [`${port.workload}, port ${portOf(port)}: ${port.score} of 100`];
  if (port.identity !== undefined) lines.push(...wrap(`identity: ${port.identity}`, width));
  if (!short) lines.push(...wrap(`callers: ${callers(port)}; outside: ${outside(port)}`, width));
  for (const { part, points, of, reason, references } of port.points) {
    lines.push(...wrap(`${String(points).padStart(2)}/${of} ${part}: ${reason}`, width));
    const shown = references.slice(0, 5);
    for (const { position, origin } of shown) lines.push(`        ${formatPosition(position)} ${origin}`);
    if (references.length > shown.length) lines.push(`        and ${references.length - shown.length} more`);
  }
  if (clients.conflict) {
    const what =
      clients.why === undefined
        ? `clients use ${clients.mode}, which the workload does not accept: their calls fail`
        : `clients speak plain text to it, as ${clients.why}: their calls fail`;
    lines.push(...wrap(what, width));
    for (const { position, origin } of clients.references) lines.push(`        ${formatPosition(position)} ${origin}`);
  }
  return `${lines.join('\n')}\n`;
}

function wrap(text: string, width: number, first = '  ', next = '       '): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = next;
    }
    line += line === '' || line.endsWith(' ') ? word : ` ${word}`;
  }
  return [...lines, line];
}
