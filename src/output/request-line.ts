/** One finished request as one line, for `fairlead up`. */
import { styleText } from 'node:util';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { harmless } from './source-excerpt.ts';

export interface RequestLineOptions {
  color: boolean;
  /** `reviews.yaml:14` of the route or the policy that decided, when known. */
  where?: string | undefined;
  /** What would help, when it failed. */
  hint?: string | undefined;
  /** Which policy refused it, or what was wrong with its TLS. */
  refusal?: string | undefined;
}

type Style = Parameters<typeof styleText>[0];

/** `12:03:04.120 GET  200    3 ms  web.default -> reviews:9080/reviews/1  reviews.default:9080 v1 10.0.0.1:9080  reviews.yaml:14` */
export function requestLine(record: RequestRecord, { color, where, hint, refusal }: RequestLineOptions): string {
  const paint = (style: Style, text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  const tcp = record.protocol === 'TCP';
  const { status, flags } = record;
  const took = `${Math.round(record.duration)} ms`.padStart(7);
  const untaken = tcp && (flags === 'NR' || record.downstreamTransportFailure !== undefined);
  const outcome = tcp ? (record.downstreamTransportFailure === undefined ? flags : 'TLS') : String(status || '-');
  const bad = tcp ? untaken || flags !== '-' : status >= 500 || status === 0 || (record.grpcStatus ?? 0) !== 0;
  const style: Style = bad ? 'red' : !tcp && status >= 400 ? 'yellow' : 'green';
  const to = record.upstreamCluster ? shortCluster(record.upstreamCluster) + (record.upstreamHost ? ` ${record.upstreamHost}` : '') : '';
  // Nobody took it: all that there is are its ends.
  const parts = untaken
    ? [`${record.downstreamRemoteAddress} -> ${record.proxy} ${record.downstreamLocalAddress}`]
    : [`${record.proxy} -> ${tcp ? to || '-' : shown(record.authority + record.path)}`];
  if (tcp && !untaken) parts.push(`${record.bytesReceived} B in, ${record.bytesSent} B out`);
  else if (!tcp && to) parts.push(paint('dim', to));
  if (record.grpcStatus) parts.push(paint('red', `grpc-status ${record.grpcStatus}`));
  if (refusal) parts.push(paint('red', `${untaken || flags === '-' ? '' : `${flags} `}${shown(refusal)}`));
  else if (record.downstreamTransportFailure) parts.push(paint('red', shown(record.downstreamTransportFailure)));
  else if (flags !== '-') parts.push(paint('red', tcp ? record.details : `${flags} ${record.details}`));
  if (record.attempts > 1) parts.push(paint('yellow', `${record.attempts} attempts`));
  if (where) parts.push(paint('cyan', where));
  if (hint) parts.push(paint('yellow', hint));
  const head = `${paint('dim', timeOfDay(record.startTime + record.duration))} ${(tcp ? 'TCP' : shown(record.method)).padEnd(4)}`;
  return `${head} ${paint(style, outcome.padEnd(3))} ${took}  ${parts.filter((p) => p !== '').join('  ')}`;
}

/** By the clock on the wall here. */
function timeOfDay(ms: number): string {
  const d = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** What a client sent must not steer the terminal. */
function shown(text: string): string {
  return harmless(text).replace(/[\t\n]/g, '\ufffd');
}

/** `outbound|9080|v1|reviews.default.svc.cluster.local` as `reviews.default:9080 v1`. */
export function shortCluster(name: string): string {
  const [direction, port, subset, host] = name.split('|');
  if (direction !== 'outbound' || host === undefined) return name;
  return `${host.replace(/\.svc\.cluster\.local$/, '')}:${port}${subset ? ` ${subset}` : ''}`;
}
