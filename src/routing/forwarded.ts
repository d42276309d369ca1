import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { removeHeader, setHeader } from './header-mutation.ts';
import { inRange, parseIp } from './ip-range.ts';
import type { ProblemList } from './problems.ts';
import { isValidReferer } from './referer.ts';

/** Settings of the connection manager for where a request came from. */
export interface ForwardedOptions {
  readonly useRemoteAddress: boolean;
  readonly trustedHops: number;
  readonly skipXffAppend: boolean;
  readonly appendForwardedPort: boolean;
  /** internal_address_config; without it no address is internal (Envoy 1.40). */
  readonly internalRanges: readonly { prefix: readonly number[]; length: number }[];
  readonly internalUnixSockets: boolean;
}

/** What is known of the connection. Addresses are without port. */
export interface DownstreamConnection {
  readonly remoteAddress: string;
  readonly localPort: number;
  readonly tls: boolean;
  /** This machine's own address: it stands in x-forwarded-for for a client on loopback, as in Envoy. */
  readonly nodeAddress: string;
}

export interface Forwarded {
  /** The trusted client: hash policies, %DOWNSTREAM_REMOTE_ADDRESS%, RBAC. It has no port unless it is the connection's own. */
  clientAddress: string;
  internal: boolean;
  /** External, at the edge: x-request-id is replaced. */
  edge: boolean;
  /** x-forwarded-proto as it goes on. */
  forwardedProto: string;
  /** `:scheme` of an HTTP/1 request without an absolute URL. */
  scheme: string;
}

/** Headers that no external request may set. */
const INTERNAL_HEADERS = [
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-stream-duration-ms',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
];
/** And these not at the edge either. */
const EDGE_HEADERS = [
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
];

/** Reads the settings of a connection manager. */
export function compileForwarded(json: HttpConnectionManagerJson, path: string, problems: ProblemList): ForwardedOptions {
  if ((json.originalIpDetectionExtensions ?? []).length > 0) problems.unsupported(`${path}.originalIpDetectionExtensions`);
  const ranges = (json.internalAddressConfig?.cidrRanges ?? []).map((range, i) => {
    const prefix = parseIp(range.addressPrefix ?? '');
    if (prefix === undefined)
      problems.invalid(
        `${path}.internalAddressConfig.cidrRanges[${i}].addressPrefix`,
        `${JSON.stringify(range.addressPrefix)} is not an IP address`,
      );
    return { prefix: prefix ?? [], length: range.prefixLen ?? 0 };
  });
  return {
    useRemoteAddress: json.useRemoteAddress === true,
    trustedHops: json.xffNumTrustedHops ?? 0,
    skipXffAppend: json.skipXffAppend === true,
    appendForwardedPort: json.appendXForwardedPort === true,
    internalRanges: ranges,
    internalUnixSockets: json.internalAddressConfig?.unixSockets === true,
  };
}

/**
 * Sets x-forwarded-for, -proto and -port, x-envoy-internal and x-envoy-external-address, and removes what an external request
 * must not say, in place. Envoy: ConnectionManagerUtility::mutateRequestHeaders. `internalOnly` are the route configuration's.
 */
export function applyForwarded(
  headers: string[],
  connection: DownstreamConnection,
  options: ForwardedOptions,
  internalOnly: readonly string[] = [],
): Forwarded {
  const protocol = connection.tls ? 'https' : 'http';
  const xff = joined(headers, 'x-forwarded-for');
  let clientAddress = connection.remoteAddress;
  let single: boolean;
  removeHeader(headers, 'x-envoy-internal');
  if (options.useRemoteAddress) {
    single = xff === undefined;
    if (options.trustedHops > 0) clientAddress = fromRight(xff, options.trustedHops - 1) ?? clientAddress;
    if (!options.skipXffAppend) {
      const own = isLoopback(connection.remoteAddress) ? connection.nodeAddress : connection.remoteAddress;
      setHeader(headers, 'x-forwarded-for', xff === undefined || xff === '' ? own : `${xff},${own}`);
    }
    // Nobody before us is trusted to have said it.
    if (options.trustedHops === 0 || joined(headers, 'x-forwarded-proto') === undefined) setHeader(headers, 'x-forwarded-proto', protocol);
    if (options.appendForwardedPort && (options.trustedHops === 0 || joined(headers, 'x-forwarded-port') === undefined)) {
      setHeader(headers, 'x-forwarded-port', String(connection.localPort));
    }
  } else {
    const address = fromRight(xff, options.trustedHops);
    single = address !== undefined && !xff!.includes(',');
    clientAddress = address ?? clientAddress;
    if (joined(headers, 'x-forwarded-proto') === undefined) headers.push('x-forwarded-proto', protocol);
    if (options.appendForwardedPort && joined(headers, 'x-forwarded-port') === undefined)
      headers.push('x-forwarded-port', String(connection.localPort));
  }
  const internal = single && isInternal(clientAddress, options);
  const edge = !internal && options.useRemoteAddress;
  if (internal) headers.push('x-envoy-internal', 'true');
  else {
    if (edge) for (const name of EDGE_HEADERS) removeHeader(headers, name);
    if (edge) setHeader(headers, 'x-envoy-external-address', clientAddress);
    for (const name of INTERNAL_HEADERS) removeHeader(headers, name);
    for (const name of internalOnly) removeHeader(headers, name);
  }
  const referer = joined(headers, 'referer');
  if (referer !== undefined && !isValidReferer(referer)) removeHeader(headers, 'referer');
  const forwardedProto = joined(headers, 'x-forwarded-proto') ?? protocol;
  const valid = /^https?$/i.test(forwardedProto);
  return { clientAddress, internal, edge, forwardedProto, scheme: valid ? forwardedProto.toLowerCase() : protocol };
}

function joined(headers: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) value = value === undefined ? headers[i + 1]! : `${value},${headers[i + 1]}`;
  }
  return value;
}

/** The address so many places from the right end of x-forwarded-for; undefined when there is none or it is not an IP address. */
function fromRight(xff: string | undefined, skip: number): string | undefined {
  if (xff === undefined) return undefined;
  const parts = xff.split(',');
  const address = parts[parts.length - 1 - skip]?.trim();
  return address !== undefined && parseIp(address) !== undefined ? address : undefined;
}

function isInternal(address: string, options: ForwardedOptions): boolean {
  const bytes = parseIp(address);
  if (bytes === undefined) return options.internalUnixSockets;
  return options.internalRanges.some((range) => inRange(bytes, range.prefix, range.length));
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');
