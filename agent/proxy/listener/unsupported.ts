/**
 * Every field of listeners and their filters that the embedded proxy refuses, and why. Fields that are neither here nor read have
 * no effect on traffic here (accept batching, statistics' names, flushing of logs).
 */
import type { ProblemList } from '../../../src/routing/problems.ts';

type Message = 'Listener' | 'FilterChain' | 'HttpConnectionManager' | 'HttpProtocolOptions1' | 'HttpProtocolOptions2' | 'Router';

export const UNSUPPORTED: Readonly<Record<Message, Readonly<Record<string, string>>>> = {
  Listener: {
    additionalAddresses: 'one listener binds one address',
    filterChainMatcher: 'matcher trees are not evaluated, use filterChainMatch',
    udpListenerConfig: 'there is no UDP',
    apiListener: 'it belongs to clients in the process',
    internalListener: 'there are no internal listeners',
    transparent: 'sockets keep their own addresses',
    freebind: 'sockets keep their own addresses',
    socketOptions: 'options cannot be set',
    tcpFastOpenQueueLength: 'it cannot be set',
    enableMptcp: 'there is no MPTCP',
  },
  FilterChain: {
    useProxyProto: 'use the proxy_protocol listener filter',
    onDemandConfiguration: 'chains are built at once',
  },
  HttpConnectionManager: {
    scopedRoutes: 'use rds or routeConfig',
    addUserAgent: 'the user-agent header stays as it is',
    earlyHeaderMutationExtensions: 'extensions do not run',
    representIpv4RemoteAddressAsIpv4MappedIpv6: 'addresses are shown as they are',
    localReplyConfig: 'local replies are those of Envoy itself',
    proxyStatusConfig: 'there is no proxy-status header',
    typedHeaderValidationConfig: 'extensions do not run',
    schemeHeaderTransformation: 'the scheme stays as it is',
    http3ProtocolOptions: 'there is no HTTP/3',
    flushAccessLogOnNewRequest: 'requests are logged at their end',
  },
  HttpProtocolOptions1: {
    sendFullyQualifiedUrl: 'requests go upstream in origin form',
    allowCustomMethods: 'methods are those that the parser knows',
  },
  HttpProtocolOptions2: {
    allowMetadata: 'there are no METADATA frames',
    customSettingsParameters: 'settings are the known ones',
    connectionKeepalive: 'no PINGs are sent',
  },
  Router: {
    upstreamLog: 'there is no log of upstream requests',
    upstreamHttpFilters: 'filters run downstream',
    startChildSpan: 'a request has one span',
    strictCheckHeaders: 'headers of the router are read leniently',
    respectExpectedRqTimeout: 'the route and its headers give timeouts',
  },
};

/** Where nobody can tell where a redirected connection was headed: without it every one of them would go nowhere, or past its policies. */
export const REDIRECTED = {
  Listener: {
    useOriginalDst: 'the kernel tells the destination of redirected connections (SO_ORIGINAL_DST), which Node.js cannot ask for; use Envoy',
  },
} as const;

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Reports the unsupported fields that one message sets. */
export function refuseFields(message: Message, json: object, path: string, problems: ProblemList): void {
  const fields = UNSUPPORTED[message];
  for (const [field, value] of Object.entries(json))
    if (Object.hasOwn(fields, field) && !asksForNothing(value))
      problems.unsupported(path === '' ? field : `${path}.${field}`, fields[field]);
}
