import { pairs } from './forward.ts';
import { defaultEntry, type Wanted } from './listener.ts';
import { type Passed, passThrough } from './passage.ts';
import { certificateOf, identityText } from './security/client.ts';
import { goOnAtServers } from './server.ts';
import { type Asked, newTrace, type Trace } from './trace.ts';
import type { ExplainConnection, ExplainRequest, Explanation, HeaderLine, SecurityFacts } from './types.ts';
import { type ParsedUrl, parseUrl } from './url.ts';
import type { ProxyView } from './view.ts';

/** Where a client is when nobody says. */
const HERE = '127.0.0.1';

/**
 * One request through the config that a proxy runs: every decision on its way, and how it can end. Pure.
 *
 * Throws RangeError for a URL that is none; `parseUrl` says what is wrong with it.
 */
export function explainRequest(view: ProxyView, request: ExplainRequest): Explanation {
  const url = parseUrl(request.url);
  if (typeof url === 'string') throw new RangeError(url);
  const tls = url.scheme === 'https' || request.tls === true;
  const { protocol = 'HTTP/1.1', sourceIp = HERE } = request;
  const wanted: Wanted = {
    host: url.host,
    port: url.port,
    portNamed: /:\d+$/.test(url.authority),
    http: protocol,
    tls,
    sni: request.sni ?? (tls && !/^[\d.]+$|:/.test(url.host) ? url.host : ''),
    alpn: request.alpn ?? ['h2', 'http/1.1'],
    sourceIp,
  };
  const entry = request.entry ?? defaultEntry(view, wanted);
  // An HTTP proxy never sees the TLS of its clients: it is asked for a tunnel (RFC 9110 9.3.6).
  const tunnel = tls && entry.kind === 'http-proxy';
  const trace = newTrace(view, entry.kind, askedOf(request, request.jwtClaims, request.now));
  const method = tunnel ? 'CONNECT' : request.method;
  const passed = passThrough(trace, {
    wanted: tunnel ? { ...wanted, tls: false } : wanted,
    entry,
    client: request.client && certificateOf(request.client),
    http: {
      method,
      path: method === 'CONNECT' ? '' : url.path,
      authority: tunnel ? `${url.authority.replace(/:\d+$/, '')}:${url.port}` : authorityOf(request, url),
      headers: arrivingHeaders(request.headers ?? [], protocol),
      protocol,
      // HTTP/1.1 names it to proxies alone (RFC 9112 3.2.2), HTTP/2 always.
      scheme: tunnel || (entry.kind !== 'http-proxy' && protocol === 'HTTP/1.1') ? undefined : url.scheme,
      random: request.random,
    },
  });
  goOnAtServers(trace, { protocol, sourceIp: request.sourceIp });
  noteUnusedIdentity(trace, request, passed);
  const routed = passed?.request;
  if (request.jwtClaims !== undefined && !trace.claimsRead)
    trace.notes.push('the claims change nothing: no filter and no route here reads them');
  return conclude(
    trace,
    'request',
    passed,
    routed && {
      method: routed.method,
      scheme: routed.scheme,
      authority: routed.authority,
      path: routed.path,
      headers: pairs(routed.headers),
    },
  );
}

function noteUnusedIdentity(trace: Trace, { client }: SecurityFacts, passed: Passed | undefined): void {
  if (client !== undefined && passed !== undefined && !passed.tls)
    trace.notes.push('the client’s identity is shown to nobody: there is no TLS');
}

const askedOf = ({ extAuthz }: SecurityFacts, claims: Asked['claims'], now = Math.floor(Date.now() / 1000)): Asked => ({
  extAuthz,
  claims,
  now,
});

/** Without Host; cookies that HTTP/2 splits are one line again (RFC 9113 8.2.3). */
function arrivingHeaders(headers: readonly HeaderLine[], protocol: 'HTTP/1.1' | 'HTTP/2'): HeaderLine[] {
  const isCookie = ([name]: HeaderLine): boolean => protocol === 'HTTP/2' && name.toLowerCase() === 'cookie';
  const cookies = headers.filter(isCookie).map(([, value]) => value);
  const rest = headers.filter((line) => !isCookie(line) && line[0].toLowerCase() !== 'host');
  return cookies.length === 0 ? rest : [...rest, ['cookie', cookies.join('; ')]];
}

/** One TCP connection likewise. */
export function explainConnection(view: ProxyView, connection: ExplainConnection): Explanation {
  const { host, port, sourceIp = HERE, sni } = connection;
  const wanted: Wanted = {
    host,
    port,
    portNamed: true,
    http: undefined,
    tls: connection.tls === true || sni !== undefined || connection.alpn !== undefined,
    sni: sni ?? '',
    alpn: connection.alpn ?? [],
    sourceIp,
  };
  const entry = connection.entry ?? defaultEntry(view, wanted);
  const trace = newTrace(view, entry.kind, askedOf(connection, undefined));
  const passed = passThrough(trace, { wanted, entry, client: connection.client && certificateOf(connection.client) });
  goOnAtServers(trace, { protocol: undefined, sourceIp: connection.sourceIp });
  noteUnusedIdentity(trace, connection, passed);
  return conclude(trace, 'connection', passed, undefined);
}

function authorityOf(request: ExplainRequest, url: ParsedUrl): string {
  const own = (request.headers ?? []).find(([name]) => name.toLowerCase() === 'host');
  return own?.[1] ?? url.authority;
}

function conclude(trace: Trace, kind: Explanation['kind'], connection: Passed | undefined, request: Explanation['request']): Explanation {
  const { view, steps, nearMisses, notes, unevaluated, dependsOn } = trace;
  const outcomes = [...trace.outcomes].sort((a, b) => b.share - a.share);
  if (unevaluated.length > 0 && !dependsOn.some((d) => d.on === 'unevaluated')) {
    for (const { name, why } of unevaluated) dependsOn.push({ on: 'unevaluated', why: `${name}: ${why}` });
  }
  return {
    version: 1,
    kind,
    proxy: view.proxy,
    ...(view.type !== undefined && { proxyType: view.type }),
    source: view.source,
    ...(request !== undefined && { request }),
    connection: {
      entry: trace.entry,
      listener: connection?.arrival.listener.name ?? '',
      filterChain: connection?.chain.name ?? '',
      localAddress: connection?.local ?? '',
      remoteAddress: connection?.remote ?? '',
      sni: connection?.sni ?? '',
      tls: connection?.tls ?? false,
      ...(connection?.client !== undefined && { client: identityText(connection.client) }),
    },
    steps,
    outcomes,
    nearMisses,
    notes,
    unevaluated,
    decidable: dependsOn.length === 0,
    dependsOn,
  };
}
