/** An explanation as people read it: the way on a line of stations, then how it ends. */
import type { Draws } from '../../explain/draw.ts';
import { percent } from '../../explain/percent.ts';
import type { Destination, Explanation, NearMiss, Origin, Outcome, Step, StepKind } from '../../explain/types.ts';
import { drawsText } from './draws.ts';
import { type Canvas, paint, printable, type Style, wrap } from './paint.ts';
import { destinationText, positionText, resourceText, settings } from './words.ts';

const LABELS: Readonly<Record<StepKind, string>> = {
  listener: 'listener',
  filterChain: 'filter chain',
  request: 'request',
  tls: 'tls',
  virtualHost: 'virtual host',
  route: 'route',
  filter: 'filter',
  action: 'action',
  split: 'split',
  cluster: 'cluster',
  endpoints: 'endpoints',
  limits: 'limits',
  upstream: 'upstream',
  tcpProxy: 'tcp proxy',
};
const LABEL = 14;
const INDENT = 3;

/** Told again, and better, with the outcome. */
const WITH_OUTCOME: ReadonlySet<StepKind> = new Set(['split', 'cluster', 'endpoints', 'limits', 'upstream']);

/** The whole explanation, with the draws of `--times` when there are some. */
export function explanationText(explanation: Explanation, canvas: Canvas, asked: string, draws?: Draws): string {
  const lines = [heading(explanation, canvas, asked), ''];
  const steps = explanation.steps.filter((step) => worthTelling(step, explanation));
  let at: string | undefined;
  for (const step of steps) {
    if (step.proxy !== undefined && step.proxy !== at) lines.push(...arrival(step.proxy, canvas));
    at = step.proxy;
    lines.push(...station(step, canvas));
  }
  lines.push(...endings(explanation, canvas));
  if (draws !== undefined) lines.push('', ...drawsText(draws, explanation, canvas));
  const near = nearest(explanation);
  if (near.length > 0) lines.push('', paint(canvas, 'bold', 'almost'), ...near.flatMap((miss) => nearText(miss, canvas)));
  const notes = [
    ...explanation.notes,
    ...explanation.unevaluated.map((u) => `not evaluated: ${u.name}: ${u.why}. What it would do is not in this answer`),
  ];
  if (notes.length > 0) lines.push('', ...notes.flatMap((note) => bullet(note, canvas, 'yellow')));
  return `${lines.join('\n')}\n`;
}

/** Where the way goes on, at the proxy in front of the destination. */
const arrival = (proxy: string, canvas: Canvas): string[] => [
  `${paint(canvas, 'dim', '┝━')} ${paint(canvas, 'dim', 'at')} ${paint(canvas, 'bold', proxy)}`,
  paint(canvas, 'dim', '│'),
];

function heading({ proxy, proxyType, connection, source }: Explanation, canvas: Canvas, asked: string): string {
  const { entry } = connection;
  const role = entry === 'inbound' ? 'at' : proxyType === 'router' || entry === 'port' ? 'through' : 'from';
  const by = `${role} ${proxy}  (${source})`;
  const one = `${printable(asked)}  ${by}`;
  const shown = paint(canvas, 'bold', printable(asked));
  return one.length <= canvas.width ? `${shown}  ${paint(canvas, 'dim', by)}` : `${shown}\n${paint(canvas, 'dim', by)}`;
}

function worthTelling(step: Step, { outcomes }: Explanation): boolean {
  if (WITH_OUTCOME.has(step.kind)) return step.kind === 'cluster' && step.effect === 'stops' && outcomes.length > 0;
  // That a connection is taken there says what has been said before: that it goes there.
  if (step.proxy !== undefined && ['listener', 'filterChain'].includes(step.kind) && step.effect === 'passes') return false;
  // What nobody asked for.
  if (step.kind === 'tls' && step.effect === 'passes' && step.origin === undefined && step.details['tls'] === false) return false;
  // A chain without a name, taken by every connection, tells nothing.
  if (step.kind === 'filterChain' && step.effect === 'passes' && step.resource === '' && step.details['match'] === '{}') return false;
  return step.kind !== 'request' || step.effect !== 'passes';
}

const MARKS: Readonly<Record<Step['effect'], [string, Style]>> = {
  passes: ['●', 'green'],
  changes: ['◆', 'yellow'],
  stops: ['■', 'red'],
  unknown: ['?', 'yellow'],
};

function station(step: Step, canvas: Canvas): string[] {
  const [mark, style] = MARKS[step.effect];
  const name = nameOf(step);
  const body = wrap(name === '' ? step.decision : `${name}  ${step.decision}`, canvas.width - INDENT - LABEL);
  const first = `${paint(canvas, style, mark)}  ${paint(canvas, 'dim', LABELS[step.kind].padEnd(LABEL))}${emphasize(body[0]!, name, canvas)}`;
  const spine = paint(canvas, 'dim', '│');
  const pad = `${spine}${' '.repeat(INDENT - 1 + LABEL)}`;
  const lines = [first, ...body.slice(1).map((line) => pad + line)];
  if (step.origin !== undefined) {
    const used = INDENT + LABEL + body.at(-1)!.length;
    const whole = originText(step.origin);
    // Beside it where there is room, below it where there is not.
    if (used + 3 + whole.length <= canvas.width && canvas.width >= 120) {
      lines[lines.length - 1] += `${' '.repeat(canvas.width - used - whole.length)}${originShown(step.origin, canvas)}`;
    } else lines.push(...wrapOrigin(step.origin, canvas, pad));
  }
  lines.push(spine);
  return lines;
}

/** Routes without a name are counted from 1, as people do. */
function nameOf({ kind, resource }: Step): string {
  if (kind === 'request') return '';
  const unnamed = /^virtualHosts\[\d+\]\.routes\[(\d+)\]$/.exec(resource);
  return unnamed === null ? resource : `#${Number(unnamed[1]) + 1}`;
}

const emphasize = (line: string, name: string, canvas: Canvas): string =>
  name !== '' && line.startsWith(name) ? paint(canvas, 'bold', name) + line.slice(name.length) : line;

const originText = (origin: Origin): string => [resourceText(origin), positionText(origin)].filter((part) => part !== undefined).join('  ');

function originShown(origin: Origin, canvas: Canvas): string {
  const position = positionText(origin);
  return paint(canvas, 'dim', resourceText(origin)) + (position === undefined ? '' : `  ${paint(canvas, 'cyan', position)}`);
}

/** A position is never cut: it is there to be clicked on. */
function wrapOrigin(origin: Origin, canvas: Canvas, pad: string, indent = INDENT + LABEL): string[] {
  const room = canvas.width - indent;
  if (originText(origin).length <= room) return [pad + originShown(origin, canvas)];
  const position = positionText(origin);
  return [pad + paint(canvas, 'dim', resourceText(origin)), ...(position === undefined ? [] : [pad + paint(canvas, 'cyan', position)])];
}

const ENDS: Readonly<Record<string, Style>> = {
  forward: 'green',
  passthrough: 'green',
  redirect: 'yellow',
  'direct-response': 'yellow',
  unknown: 'yellow',
};

/** How it can end; what all outcomes have in common is told once, below them. */
function endings({ outcomes, request }: Explanation, canvas: Canvas): string[] {
  const rows = outcomes.map((o) => settings(o));
  const common =
    outcomes.length < 2 ? [] : (rows[0] ?? []).filter((row) => rows.every((of) => of.some(([k, v]) => k === row[0] && v === row[1])));
  const isCommon = ([k, v]: [string, string]): boolean => common.some(([ck, cv]) => ck === k && cv === v);
  const lines: string[] = [];
  outcomes.forEach((outcome, i) => {
    const own = rows[i]!.filter((row) => !isCommon(row));
    const more = i < outcomes.length - 1 || common.length > 0;
    lines.push(...ending(outcome, outcomes.length > 1, own, canvas, more, request?.authority ?? ''));
  });
  if (common.length > 0) {
    lines.push(`${' '.repeat(INDENT)}${paint(canvas, 'dim', 'in each case')}`);
    for (const row of common) lines.push(...setting(row, canvas, ' '));
  }
  return lines;
}

function ending(
  outcome: Outcome,
  several: boolean,
  own: readonly [string, string][],
  canvas: Canvas,
  more: boolean,
  host: string,
): string[] {
  const style = ENDS[outcome.type] ?? 'red';
  const label = (several ? percent(outcome.share) : '').padStart(several ? 6 : 0);
  const { destination } = outcome;
  const what = outcome.type === 'forward' && destination !== undefined ? forwardText(outcome, destination, host) : outcome.summary;
  const answering = outcome.answeredBy === undefined ? '' : paint(canvas, 'dim', `  by ${outcome.answeredBy}`);
  const spine = more ? paint(canvas, 'dim', '│') : ' ';
  const indent = INDENT + (several ? 8 : 0);
  const [start = '', ...rest] = wrap(what, canvas.width - indent);
  const head = `${paint(canvas, style, '▶')}  ${several ? `${paint(canvas, 'bold', label)}  ` : ''}${paint(canvas, style, start)}`;
  const flags = outcome.flags === '-' ? '' : paint(canvas, 'dim', `  flags ${outcome.flags}`);
  const folded = rest.map((line) => `${spine}${' '.repeat(indent - 1)}${paint(canvas, style, line)}`);
  const lines = [head, ...folded];
  lines[lines.length - 1] += flags + answering;
  if (destination?.origin !== undefined) lines.push(...wrapOrigin(destination.origin, canvas, `${spine}${' '.repeat(INDENT - 1 + LABEL)}`));
  const rows: [string, string][] = [...endpointRows(outcome), ...upstreamRows(outcome), ...answerRows(outcome), ...own];
  for (const row of rows) lines.push(...setting(row, canvas, more ? '│' : ' '));
  return lines;
}

/** A cluster that looks names up is nothing that people know: the name is. */
function forwardText({ upstream, tunnel }: Outcome, destination: Destination, host: string): string {
  const to = destination.discovery === 'DNS_ON_DEMAND' ? `${upstream?.authority ?? host}, looked up in DNS` : destinationText(destination);
  return tunnel === true ? `a tunnel to ${to}` : to;
}

function setting([word, text]: [string, string], canvas: Canvas, spine: string): string[] {
  const pad = `${paint(canvas, 'dim', spine)}${' '.repeat(INDENT - 1)}`;
  const [first = '', ...rest] = wrap(text, canvas.width - INDENT - LABEL);
  return [`${pad}${paint(canvas, 'dim', word.padEnd(LABEL))}${first}`, ...rest.map((line) => `${pad}${' '.repeat(LABEL)}${line}`)];
}

const MOST_ENDPOINTS = 5;

function endpointRows({ destination }: Outcome): [string, string][] {
  if (destination === undefined) return [];
  const { endpoints, discovery, endpointsKnown, balancing, panic } = destination;
  if (discovery === 'ORIGINAL_DST') return [['endpoint', 'the address that the client connected to']];
  if (discovery === 'DNS_ON_DEMAND') return [['endpoint', 'what DNS says of the host when the request comes']];
  if (!endpointsKnown) return [['endpoints', 'not part of this dump (make it with ?include_eds)']];
  if (endpoints.length === 0) return [['endpoints', 'none']];
  const shown = [...endpoints].sort((a, b) => b.share - a.share).slice(0, MOST_ENDPOINTS);
  const rows = shown.map((e, i): [string, string] => {
    const facts = [
      e.workload ?? '',
      endpoints.length > 1 && e.share > 0 ? percent(e.share) : '',
      e.health === 'unknown' || e.health === 'healthy' ? '' : e.health,
      e.locality === '' ? '' : e.locality,
      e.priority > 0 ? `priority ${e.priority}` : '',
    ].filter((part) => part !== '');
    return [
      i === 0 ? (endpoints.length === 1 ? 'endpoint' : 'endpoints') : '',
      `${e.address}${facts.length > 0 ? `  ${facts.join(', ')}` : ''}`,
    ];
  });
  if (endpoints.length > MOST_ENDPOINTS) rows.push(['', `and ${endpoints.length - MOST_ENDPOINTS} more`]);
  if (endpoints.length > 1)
    rows.push([
      'balancing',
      `${balancing.toLowerCase().replaceAll('_', ' ')}${panic ? '; too few are healthy, so unhealthy ones are used too' : ''}`,
    ]);
  return rows;
}

function upstreamRows({ upstream, type, tunnel }: Outcome): [string, string][] {
  if (tunnel === true) return [['it sees', 'the bytes of the tunnel']];
  if (upstream === undefined || (type !== 'forward' && type !== 'passthrough')) return [];
  const rows: [string, string][] = [['it sees', `${upstream.method} ${upstream.path} for host ${upstream.authority}`]];
  // What every proxy adds says nothing about this route.
  const usual =
    /^[+~](?:x-forwarded-(?:for|proto|port)|x-request-id|x-envoy-(?:attempt-count|expected-rq-timeout-ms|internal|external-address|original-path|original-host))$/;
  const changes = upstream.changes.filter((change) => !usual.test(change));
  const value = (name: string): string => upstream.headers.find(([n]) => n === name)?.[1] ?? '';
  if (changes.length > 0)
    rows.push([
      'headers',
      changes.map((c) => (c.startsWith('-') ? `without ${c.slice(1)}` : `${c.slice(1)}: ${value(c.slice(1))}`)).join(', '),
    ]);
  return rows;
}

function answerRows({ type, body, responseHeaders, grpcStatus }: Outcome): [string, string][] {
  const rows: [string, string][] = [];
  if (grpcStatus !== undefined) rows.push(['grpc-status', String(grpcStatus)]);
  const headers = responseHeaders.filter(([name]) => name !== 'content-type' && name !== 'location');
  if (headers.length > 0) rows.push([type === 'forward' ? 'answer gets' : 'headers', headers.map(([n, v]) => `${n}: ${v}`).join(', ')]);
  if (body !== undefined && body !== '') rows.push(['body', JSON.stringify(body.length > 200 ? `${body.slice(0, 200)}…` : body)]);
  return rows;
}

const LOST: ReadonlySet<string> = new Set(['no-route', 'no-listener', 'no-filter-chain', 'denied']);

/** Near misses that help: those that one condition made, or, when nothing matched, all. */
function nearest({ nearMisses, outcomes }: Explanation): readonly NearMiss[] {
  const lost = outcomes.every((o) => LOST.has(o.type));
  return lost ? nearMisses : nearMisses.filter((miss) => miss.decisive).slice(0, 3);
}

function nearText({ message, origin }: NearMiss, canvas: Canvas): string[] {
  const [first = '', ...rest] = wrap(message, canvas.width - INDENT);
  const pad = ' '.repeat(INDENT);
  return [
    `${paint(canvas, 'yellow', '≈')}  ${first}`,
    ...rest.map((line) => pad + line),
    ...(origin === undefined ? [] : wrapOrigin(origin, canvas, pad, INDENT)),
  ];
}

function bullet(text: string, canvas: Canvas, style: Style): string[] {
  const [first = '', ...rest] = wrap(text, canvas.width - INDENT);
  return [`${paint(canvas, style, '!')}  ${first}`, ...rest.map((line) => `${' '.repeat(INDENT)}${line}`)];
}
