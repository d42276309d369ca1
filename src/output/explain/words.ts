/** How explanations name things to people. */
import { clusterText } from '../../explain/cluster-text.ts';
import { shownDuration } from '../../explain/duration.ts';
import { UNLIMITED } from '../../explain/failures.ts';
import { percent } from '../../explain/percent.ts';
import type { Destination, Origin, Outcome } from '../../explain/types.ts';

/** `VirtualService default/reviews http[0].match[1]`. */
export function resourceText({ kind, namespace, name, field }: Origin): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}${field === undefined ? '' : ` ${field}`}`;
}

/** `mesh/reviews.yaml:14:7`; undefined where the sources are not at hand. */
export function positionText({ file, line, column }: Origin): string | undefined {
  if (file === undefined) return undefined;
  // A cluster's objects have no lines.
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** Where something leads, as people know it. */
export const destinationText = ({ cluster }: Pick<Destination, 'cluster'>): string => clusterText(cluster);

/** What is laid down about the way to an upstream, as pairs of a word and a text. Settings that are Envoy's own and usual are left out. */
export function settings(outcome: Outcome): [string, string][] {
  const { destination, timeouts, retries, mirrors, hash, delay } = outcome;
  const rows: [string, string][] = [];
  if (destination?.security !== undefined) rows.push(['tls', tlsText(destination)]);
  if (delay !== undefined)
    rows.push([
      'delay',
      `${shownDuration(delay.ms)}${delay.share < 1 ? `, for ${percent(delay.share)} of such requests` : ''} (an injected fault)`,
    ]);
  if (timeouts !== undefined) rows.push(['timeout', timeoutText(timeouts)]);
  if (retries !== undefined) {
    const codes = retries.statusCodes.length > 0 ? ` (${retries.statusCodes.join(', ')})` : '';
    const perTry = retries.perTryTimeout > 0 ? `, ${shownDuration(retries.perTryTimeout)} each` : '';
    rows.push(['retries', `up to ${retries.attempts}${perTry}, on ${retries.on.join(', ')}${codes}`]);
  }
  for (const { cluster, share, authority } of mirrors)
    rows.push(['mirror', `${percent(share)} of them to ${clusterText(cluster)} as host ${authority}`]);
  if (hash !== undefined) {
    const value = hash.value === undefined ? 'the request has none of it, so any endpoint will do' : `value ${hash.value}`;
    rows.push(['hash', `by ${hash.policies.join(', ')}: ${value}${hash.setsCookie ? '; the answer sets the cookie' : ''}`]);
  }
  if (destination !== undefined && outcome.type === 'forward') rows.push(...limits(destination));
  return rows;
}

/** `mutual TLS, automatic: the endpoint’s proxy takes it (PeerAuthentication …)`. */
function tlsText({ transport, security, sni }: Destination): string {
  const where = security?.origin === undefined ? undefined : positionText(security.origin);
  const name = sni === undefined || sni.startsWith('outbound_') ? '' : `, server name ${sni}`;
  return `${transport === 'plain' ? 'plain text' : transport}${name}, ${security?.why ?? ''}${where === undefined ? '' : ` (${where})`}`;
}

function timeoutText({ total, idle, maxStream }: NonNullable<Outcome['timeouts']>): string {
  const parts = [total === 0 ? 'none' : shownDuration(total)];
  if (idle > 0) parts.push(`idle ${shownDuration(idle)}`);
  if (maxStream > 0) parts.push(`whole stream ${shownDuration(maxStream)}`);
  return parts.join(', ');
}

function limits({ limits: l, outlierDetection: o }: Destination): [string, string][] {
  const parts = [
    [l.maxConnections, 'connections'],
    [l.maxPendingRequests, 'waiting'],
    [l.maxRequests, 'under way'],
  ].flatMap(([n, what]) => (Number(n) < UNLIMITED ? [`${n} ${what}`] : []));
  const rows: [string, string][] = [];
  if (parts.length > 0) rows.push(['limits', parts.join(', ')]);
  if (o !== undefined) {
    const after = [
      o.consecutive5xx > 0 ? `${o.consecutive5xx} errors in a row` : '',
      o.consecutiveGatewayFailures > 0 ? `${o.consecutiveGatewayFailures} gateway errors in a row` : '',
      o.consecutiveLocalOriginFailures > 0 ? `${o.consecutiveLocalOriginFailures} failed connections in a row` : '',
    ].filter((part) => part !== '');
    rows.push([
      'ejects',
      `an endpoint after ${after.join(' or ') || 'unusual failures'}, for ${shownDuration(o.baseEjectionTime)} and longer; at most ${o.maxEjectionPercent} % of them`,
    ]);
  }
  return rows;
}
