/** One finished request as one line, for `fairlead up`. */
import { styleText } from 'node:util';
import type { RequestRecord } from '../telemetry/request-record.ts';

export interface RequestLineOptions {
  color: boolean;
  /** `reviews.yaml:14` of the route that decided, when known. */
  where?: string | undefined;
}

type Style = Parameters<typeof styleText>[0];

/** `12:03:04.120 GET  200    3 ms  web.default -> reviews:9080/reviews/1  outbound|9080|v1|reviews…  reviews.yaml:14` */
export function requestLine(record: RequestRecord, { color, where }: RequestLineOptions): string {
  const paint = (style: Style, text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  const time = new Date(record.startTime + record.duration).toISOString().slice(11, 23);
  const took = `${Math.round(record.duration)} ms`.padStart(8);
  if (record.protocol === 'TCP') {
    const bytes = `${record.bytesReceived} B in, ${record.bytesSent} B out`;
    return `${paint('dim', time)} ${'TCP'.padEnd(5)}${paint(record.flags === '-' ? 'green' : 'red', record.flags.padEnd(4))}${took}  ${record.proxy} -> ${record.upstreamCluster || '-'}  ${bytes}`;
  }
  const status = String(record.status || '-').padEnd(4);
  const style: Style = record.status >= 500 || record.status === 0 ? 'red' : record.status >= 400 ? 'yellow' : 'green';
  const parts = [`${record.proxy} -> ${record.authority}${record.path}`];
  if (record.upstreamCluster)
    parts.push(paint('dim', shortCluster(record.upstreamCluster) + (record.upstreamHost ? ` ${record.upstreamHost}` : '')));
  if (record.flags !== '-') parts.push(paint('red', `${record.flags} ${record.details}`));
  if (record.attempts > 1) parts.push(paint('yellow', `${record.attempts} attempts`));
  if (where) parts.push(paint('cyan', where));
  return `${paint('dim', time)} ${record.method.padEnd(5)}${paint(style, status)}${took}  ${parts.join('  ')}`;
}

/** `outbound|9080|v1|reviews.default.svc.cluster.local` as `reviews.default:9080/v1`. */
export function shortCluster(name: string): string {
  const [direction, port, subset, host] = name.split('|');
  if (direction !== 'outbound' || host === undefined) return name;
  return `${host.replace(/\.svc\.cluster\.local$/, '')}:${port}${subset ? ` ${subset}` : ''}`;
}
